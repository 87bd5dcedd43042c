import { expect, it } from 'vitest';
import { FailureWindow } from '../../../../src/application/membership/failure-window.ts';
import { HandClock } from '../../../support/hand-clock.ts';

const SPAN_MS = 1_000;

function setUp() {
  const clock = new HandClock();
  return { clock, window: new FailureWindow(clock, SPAN_MS) };
}

it('admits attempts until the limit of failures in the span is reached, and again afterwards', () => {
  const { clock, window } = setUp();
  for (let count = 0; count < 3; count += 1) {
    expect(window.enter(3)).toBe(true);
    window.leave(true);
  }
  expect(window.enter(3)).toBe(false);
  clock.pass(SPAN_MS - 1);
  expect(window.enter(3)).toBe(false);
  expect(window.isIdle).toBe(false);
  clock.pass(1);
  expect(window.isIdle).toBe(true);
  expect(window.enter(3)).toBe(true);
});

it('does not limit attempts that succeed', () => {
  const { window } = setUp();
  for (let count = 0; count < 10; count += 1) {
    expect(window.enter(3)).toBe(true);
    window.leave(false);
  }
  expect(window.isIdle).toBe(true);
});

it('lets an attempt wait that finds no room beside those under way, and admits it when one succeeds', async () => {
  const { window } = setUp();
  window.enter(2);
  window.enter(2);
  const third = window.enter(2);
  const fourth = window.enter(2);
  window.leave(false);
  expect(await third).toBe(true);
  window.leave(true);
  window.leave(true);
  expect(await fourth).toBe(false);
  expect(window.enter(2)).toBe(false);
});
