import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import type { LocalSubscribers } from '../../../../src/application/ports/local-subscribers.ts';
import { PresenceFanOut } from '../../../../src/application/presence/presence-fan-out.ts';
import type { ChatEvent } from '../../../../src/domain/chat-event.ts';
import type { PlaceKey } from '../../../../src/domain/place.ts';
import { HandClock } from '../../../support/hand-clock.ts';

const HOUR = 3_600_000;

/**
 * Places with given numbers of subscribers. `delivered` holds the deliveries as `place kind
 * userId`.
 */
function setUp(sizes: { [place: PlaceKey]: number }) {
  const delivered: string[] = [];
  const clock = new HandClock();
  const telemetry = new RecordedTelemetry();
  const subscribers: LocalSubscribers = {
    deliver: (place: PlaceKey, event: ChatEvent) => {
      if (event.kind === 'connect' || event.kind === 'disconnect') {
        delivered.push(`${place} ${event.kind} ${event.userId}`);
      }
    },
    count: (place) => sizes[place] ?? 0,
    places: () => Object.keys(sizes) as PlaceKey[],
    callers: () => [],
    remove: () => {},
    watch: () => {},
    busiest: () => ({ seconds: 0, places: [] }),
  };
  const fanOut = new PresenceFanOut({ subscribers, clock, telemetry });
  const connect = (place: PlaceKey, ...users: number[]) => {
    for (const userId of users) fanOut.show({ kind: 'connect', userId, places: [place] });
  };
  return { delivered, clock, telemetry, fanOut, connect, sizes };
}

const TWENTY = Array.from({ length: 20 }, (_, i) => i + 1);

it('delivers presence events in small rooms at once, and none where nobody is subscribed', () => {
  const { delivered, fanOut } = setUp({ 'r-5': 50 });
  for (const userId of [1, 2, 3]) fanOut.show({ kind: 'connect', userId, places: ['r-5', 'r-6'] });
  expect(delivered).toEqual(['r-5 connect 1', 'r-5 connect 2', 'r-5 connect 3']);
});

it('keeps to 10,000 presence deliveries a second in a large room, and delivers the rest later', () => {
  const { delivered, clock, connect } = setUp({ 'r-1': 10_000 });
  connect('r-1', ...TWENTY);
  expect(delivered).toHaveLength(2);
  clock.pass(1_000);
  expect(delivered.length).toBeGreaterThan(2);
  expect(delivered.length).toBeLessThan(5);
  for (let i = 0; i < 20; i++) clock.pass(1_000);
  expect(delivered).toHaveLength(20);
});

it('delivers a presence event in a small room while events of a large room wait', () => {
  const { delivered, clock, connect } = setUp({ 'r-1': 10_000, 'r-2': 2 });
  connect('r-1', ...TWENTY);
  connect('r-2', 99);
  clock.pass(3_000);
  expect(delivered).toContain('r-2 connect 99');
  expect(delivered).not.toContain('r-1 connect 20');
});

it('delivers only the last change of a user whose earlier change still waits', () => {
  const { delivered, clock, fanOut, connect } = setUp({ 'r-1': 25_000 });
  connect('r-1', 1, 2);
  fanOut.show({ kind: 'disconnect', userId: 2, places: ['r-1'] });
  for (let i = 0; i < 5; i++) clock.pass(1_000);
  expect(delivered).toEqual(['r-1 connect 1', 'r-1 disconnect 2']);
});

it('delivers the events of a place in the order in which they came', () => {
  const { delivered, clock, connect } = setUp({ 'r-1': 10_000 });
  connect('r-1', 1, 2, 3, 4);
  // User 5 comes when the budget allows a delivery, but while others still wait.
  clock.pass(1_050);
  connect('r-1', 5);
  for (let i = 0; i < 5; i++) clock.pass(1_000);
  expect(delivered).toEqual([1, 2, 3, 4, 5].map((userId) => `r-1 connect ${userId}`));
});

it('drops and counts presence events that have waited for more than 30 s', () => {
  const { delivered, clock, telemetry, connect } = setUp({ 'r-1': 4_000_000 });
  connect('r-1', 1, 2, 3);
  for (let i = 0; i < 500; i++) clock.pass(1_000);
  expect(delivered).toEqual(['r-1 connect 1']);
  expect(telemetry.counts.get('presence_dropped')).toBe(2);
});

it('drops and counts presence events when 20,000 wait already', () => {
  const { clock, delivered, telemetry, connect, sizes } = setUp({ 'r-1': 30_000 });
  connect('r-1', ...Array.from({ length: 20_003 }, (_, i) => i + 1));
  expect(telemetry.counts.get('presence_dropped')).toBe(2);
  sizes['r-1'] = 1;
  clock.pass(3_000);
  expect(delivered).toHaveLength(20_001);
});

it('goes on delivering presence events when the wall clock jumps back', () => {
  const { delivered, clock, connect } = setUp({ 'r-1': 10 });
  clock.jump(-HOUR);
  connect('r-1', ...TWENTY);
  expect(delivered).toHaveLength(20);
});

it('does not drop waiting presence events when the wall clock jumps forward', () => {
  const { delivered, clock, connect } = setUp({ 'r-1': 20_000 });
  connect('r-1', 1, 2);
  clock.jump(HOUR);
  clock.pass(3_000);
  expect(delivered).toEqual(['r-1 connect 1', 'r-1 connect 2']);
});
