import { expect, it } from 'vitest';
import { Pace } from '../../../../src/application/ordering/pace.ts';
import { HandClock } from '../../../support/hand-clock.ts';

it('gives the time that is left of the interval since the last beginning', () => {
  const clock = new HandClock();
  const pace = new Pace(clock);
  expect(pace.left(25)).toBe(0);
  pace.begin();
  clock.pass(10);
  expect([pace.left(25), pace.left(4), pace.left(0)]).toEqual([15, 0, 0]);
});

it('does not notice a wall clock that jumps', () => {
  const clock = new HandClock();
  const pace = new Pace(clock);
  pace.begin();
  clock.jump(-3_600_000);
  expect(pace.left(25)).toBe(25);
  clock.jump(7_200_000);
  expect(pace.left(25)).toBe(25);
});
