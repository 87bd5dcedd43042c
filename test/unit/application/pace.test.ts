import { expect, it } from 'vitest';
import { Pace } from '../../../src/application/ordering/pace.ts';
import type { Clock } from '../../../src/application/ports/clock.ts';

it('tells how long is left since the last beginning, and nothing where the clock was set back', () => {
  let now = 1_000_000;
  const pace = new Pace({ now: () => now } as Clock);
  expect(pace.left(25)).toBe(0);
  pace.begin();
  now += 10;
  expect([pace.left(25), pace.left(4), pace.left(0)]).toEqual([15, 0, 0]);
  now -= 60_000;
  expect(pace.left(25)).toBe(0);
});
