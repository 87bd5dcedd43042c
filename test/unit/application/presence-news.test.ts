import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import type { LocalSubscribers } from '../../../src/application/ports/local-subscribers.ts';
import { PresenceFanOut } from '../../../src/application/presence/presence-fan-out.ts';
import type { ChatEvent } from '../../../src/domain/chat-event.ts';
import type { PlaceKey } from '../../../src/domain/place.ts';
import { HandClock } from '../../support/hand-clock.ts';

/** Audiences of given sizes; what they were told, as `kind userId`. */
function setUp(sizes: { readonly [place: PlaceKey]: number }) {
  const told: string[] = [];
  const clock = new HandClock();
  const subscribers: LocalSubscribers = {
    deliver: (place: PlaceKey, event: ChatEvent) => {
      if (event.kind === 'connect' || event.kind === 'disconnect') told.push(`${place} ${event.kind} ${event.userId}`);
    },
    count: (place) => sizes[place] ?? 0,
    places: () => Object.keys(sizes) as PlaceKey[],
    callers: () => [],
    remove: () => {},
  };
  return { told, clock, news: new PresenceFanOut({ subscribers, clock, telemetry: new RecordedTelemetry() }) };
}

it('tells small rooms at once, and nobody where nobody listens', () => {
  const { told, news } = setUp({ 'r-5': 50 });
  for (let userId = 1; userId <= 3; userId++) news.show({ kind: 'connect', userId, places: ['r-5', 'r-6'] });
  expect(told).toEqual([1, 2, 3].map((userId) => `r-5 connect ${userId}`));
});

it('keeps to its budget in a crowd, and tells the rest of it later', () => {
  const { told, clock, news } = setUp({ 'r-1': 10_000 });
  for (let userId = 1; userId <= 20; userId++) news.show({ kind: 'connect', userId, places: ['r-1'] });
  expect(told).toHaveLength(2);
  clock.pass(1_000);
  expect(told.length).toBeGreaterThan(2);
  expect(told.length).toBeLessThan(5);
  for (let i = 0; i < 20; i++) clock.pass(1_000);
  expect(told).toHaveLength(20);
});

it('lets a small place have its turn beside a crowd', () => {
  const { told, clock, news } = setUp({ 'r-1': 10_000, 'r-2': 2 });
  for (let userId = 1; userId <= 20; userId++) news.show({ kind: 'connect', userId, places: ['r-1'] });
  news.show({ kind: 'connect', userId: 99, places: ['r-2'] });
  clock.pass(3_000);
  expect(told).toContain('r-2 connect 99');
});

it('tells of a user who came and went only that he went', () => {
  const { told, clock, news } = setUp({ 'r-1': 25_000 });
  for (const userId of [1, 2]) news.show({ kind: 'connect', userId, places: ['r-1'] });
  news.show({ kind: 'disconnect', userId: 2, places: ['r-1'] });
  for (let i = 0; i < 5; i++) clock.pass(1_000);
  expect(told).toEqual(['r-1 connect 1', 'r-1 disconnect 2']);
});

it('drops what nobody needs any more', () => {
  const { told, clock, news } = setUp({ 'r-1': 4_000_000 });
  for (const userId of [1, 2, 3]) news.show({ kind: 'connect', userId, places: ['r-1'] });
  for (let i = 0; i < 200; i++) clock.pass(1_000);
  expect(told).toEqual(['r-1 connect 1']);
});
