import { expect, it } from 'vitest';
import { PlaceTraffic } from '../../../src/adapters/stomp/place-traffic.ts';
import { roomKey } from '../../../src/domain/place.ts';
import { HandClock } from '../../support/hand-clock.ts';

function setUp() {
  const clock = new HandClock();
  return { clock, traffic: new PlaceTraffic(clock) };
}

it('counts nothing, and has no timer, before somebody asks', () => {
  const { clock, traffic } = setUp();
  traffic.add('r-5', 3);
  expect([traffic.isCounting, clock.pending]).toEqual([false, 0]);
  expect(traffic.busiest(10)).toEqual({ seconds: 0, places: [] });
  expect(traffic.isCounting).toBe(true);
});

it('shows the places with the most deliveries of the last 5 to 10 s first', () => {
  const { clock, traffic } = setUp();
  traffic.busiest(10);
  for (let i = 0; i < 4; i++) traffic.add('r-5', 1);
  clock.pass(4_000);
  traffic.add('c-11', 1_000);
  expect(traffic.busiest(10)).toEqual({
    seconds: 4,
    places: [
      { place: 'c-11', events: 1, deliveries: 1_000 },
      { place: 'r-5', events: 4, deliveries: 4 },
    ],
  });
  expect(traffic.busiest(1).places).toHaveLength(1);
  clock.pass(2_000);
  traffic.add('r-5', 2);
  expect(traffic.busiest(10)).toEqual({
    seconds: 6,
    places: [
      { place: 'c-11', events: 1, deliveries: 1_000 },
      { place: 'r-5', events: 5, deliveries: 6 },
    ],
  });
  clock.pass(4_000);
  expect(traffic.busiest(10)).toEqual({ seconds: 5, places: [{ place: 'r-5', events: 1, deliveries: 2 }] });
});

it('stops counting 15 to 20 s after the last question, and begins anew with the next one', () => {
  const { clock, traffic } = setUp();
  traffic.busiest(10);
  traffic.add('r-5', 3);
  clock.pass(12_000);
  traffic.busiest(10);
  clock.pass(15_000);
  expect(traffic.isCounting).toBe(true);
  clock.pass(5_000);
  expect([traffic.isCounting, clock.pending]).toEqual([false, 0]);
  expect(traffic.busiest(10)).toEqual({ seconds: 0, places: [] });
});

it('counts the busiest places exactly among 100,000 places, and remembers 2,000 of them', () => {
  const { clock, traffic } = setUp();
  traffic.busiest(10);
  for (let i = 0; i < 100_000; i++) {
    traffic.add(roomKey(100 + i), 1);
    if (i % 10 === 0) for (const id of [1, 2, 3]) traffic.add(roomKey(id), 10 * id);
  }
  clock.pass(1_000);
  const { places } = traffic.busiest(10_000);
  expect(places.length).toBeLessThanOrEqual(2_000);
  expect(places.slice(0, 3)).toEqual([
    { place: 'r-3', events: 10_000, deliveries: 300_000 },
    { place: 'r-2', events: 10_000, deliveries: 200_000 },
    { place: 'r-1', events: 10_000, deliveries: 100_000 },
  ]);
});
