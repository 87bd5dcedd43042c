import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import type { LocalSubscribers } from '../../../src/application/ports/local-subscribers.ts';
import { PresenceNews } from '../../../src/application/presence/presence-fan-out.ts';
import type { ChatEvent } from '../../../src/domain/chat-event.ts';
import { HandClock } from '../stomp/hand-clock.ts';

/** Audiences of given sizes; what they were told, as `kind userId`. */
function setUp(sizes: Record<string, number>) {
  const told: string[] = [];
  const clock = new HandClock();
  const subscribers: LocalSubscribers = {
    deliver: (destination: string, event: ChatEvent) => {
      if (event.kind === 'connect' || event.kind === 'disconnect')
        told.push(`${destination} ${event.kind} ${event.userId}`);
    },
    has: (destination) => (sizes[destination] ?? 0) > 0,
    count: (destination) => sizes[destination] ?? 0,
    destinations: () => Object.keys(sizes),
    callers: () => [],
    remove: () => {},
  };
  return { told, clock, news: new PresenceNews({ subscribers, clock, telemetry: new RecordedTelemetry() }) };
}

it('tells small rooms at once, and nobody where nobody listens', () => {
  const { told, news } = setUp({ '/topic/direct/5': 50 });
  for (let userId = 1; userId <= 3; userId++) news.show({ kind: 'connect', userId, topics: ['direct/5', 'direct/6'] });
  expect(told).toEqual([1, 2, 3].map((userId) => `/topic/direct/5 connect ${userId}`));
});

it('keeps to its budget in a crowd, and tells the rest of it later', () => {
  const { told, clock, news } = setUp({ '/topic/direct/1': 10_000 });
  for (let userId = 1; userId <= 20; userId++) news.show({ kind: 'connect', userId, topics: ['direct/1'] });
  expect(told).toHaveLength(2);
  clock.pass(1_000);
  expect(told.length).toBeGreaterThan(2);
  expect(told.length).toBeLessThan(5);
  for (let i = 0; i < 20; i++) clock.pass(1_000);
  expect(told).toHaveLength(20);
});

it('lets a small place have its turn beside a crowd', () => {
  const { told, clock, news } = setUp({ '/topic/direct/1': 10_000, '/topic/direct/2': 2 });
  for (let userId = 1; userId <= 20; userId++) news.show({ kind: 'connect', userId, topics: ['direct/1'] });
  news.show({ kind: 'connect', userId: 99, topics: ['direct/2'] });
  clock.pass(3_000);
  expect(told).toContain('/topic/direct/2 connect 99');
});

it('tells of a user who came and went only that he went', () => {
  const { told, clock, news } = setUp({ '/topic/direct/1': 25_000 });
  for (const userId of [1, 2]) news.show({ kind: 'connect', userId, topics: ['direct/1'] });
  news.show({ kind: 'disconnect', userId: 2, topics: ['direct/1'] });
  for (let i = 0; i < 5; i++) clock.pass(1_000);
  expect(told).toEqual(['/topic/direct/1 connect 1', '/topic/direct/1 disconnect 2']);
});

it('drops what nobody needs any more', () => {
  const { told, clock, news } = setUp({ '/topic/direct/1': 4_000_000 });
  for (const userId of [1, 2, 3]) news.show({ kind: 'connect', userId, topics: ['direct/1'] });
  for (let i = 0; i < 200; i++) clock.pass(1_000);
  expect(told).toEqual(['/topic/direct/1 connect 1']);
});
