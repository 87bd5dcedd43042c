import { expect, it } from 'vitest';
import { Budget } from '../../../src/adapters/stomp/budget.ts';

it('lets the whole allowance be spent at once, and no more', () => {
  const budget = new Budget({ max: 3, perSecond: 2 });
  expect([budget.spend(), budget.spend(), budget.spend(), budget.spend()]).toEqual([true, true, true, false]);
});

it('gives back a part of the allowance each second, and never more than was spent', () => {
  const budget = new Budget({ max: 3, perSecond: 2 });
  for (let spent = 0; spent < 4; spent += 1) budget.spend();
  budget.refill();
  expect([budget.spend(), budget.spend()]).toEqual([true, false]);
  for (let seconds = 0; seconds < 10; seconds += 1) budget.refill();
  expect([budget.spend(), budget.spend(), budget.spend(), budget.spend()]).toEqual([true, true, true, false]);
});

it('sets no limit where the allowance is infinite', () => {
  const budget = new Budget({ max: Number.POSITIVE_INFINITY, perSecond: Number.POSITIVE_INFINITY });
  budget.spend();
  budget.refill();
  expect(budget.spend()).toBe(true);
});
