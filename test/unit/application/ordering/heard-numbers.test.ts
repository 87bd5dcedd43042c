import { expect, it } from 'vitest';
import { HeardNumbers } from '../../../../src/application/ordering/heard-numbers.ts';
import { roomKey } from '../../../../src/domain/place.ts';
import { HandClock } from '../../../support/hand-clock.ts';

const PLACE = roomKey(1);

function start() {
  const clock = new HandClock();
  return { clock, numbers: new HeardNumbers(clock) };
}

it('has a batch exactly when each of its numbers was heard, in any order and any number of times', () => {
  const { numbers } = start();
  for (const seq of [3, 4, 9, 6, 7, 4, 8]) numbers.heard(PLACE, seq);
  expect(numbers.has(PLACE, 3, 4)).toBe(true);
  expect(numbers.has(PLACE, 6, 9)).toBe(true);
  expect(numbers.has(PLACE, 3, 6)).toBe(false);
  expect(numbers.has(PLACE, 9, 10)).toBe(false);
  expect(numbers.has(roomKey(2), 3, 3)).toBe(false);
  numbers.heard(PLACE, 5);
  expect(numbers.has(PLACE, 3, 9)).toBe(true);
});

it('remembers numbers for half a minute at least', () => {
  const { clock, numbers } = start();
  clock.pass(29_000);
  numbers.heard(PLACE, 1);
  clock.pass(2_000);
  numbers.heard(PLACE, 2);
  clock.pass(28_000);
  expect(numbers.has(PLACE, 1, 2)).toBe(true);
  clock.pass(29_000);
  numbers.heard(roomKey(2), 1);
  clock.pass(31_000);
  numbers.heard(roomKey(3), 1);
  expect(numbers.has(PLACE, 2, 2)).toBe(false);
});

it('still has the newest numbers of a busy place after many minutes without a look at the outbox', () => {
  const { clock, numbers } = start();
  for (let seq = 1; seq <= 600; seq += 1) {
    numbers.heard(PLACE, seq);
    clock.pass(1_000);
  }
  expect(numbers.has(PLACE, 590, 600)).toBe(true);
});
