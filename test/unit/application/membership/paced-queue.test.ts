import { expect, it } from 'vitest';
import { PacedQueue } from '../../../../src/application/membership/paced-queue.ts';
import { HandClock } from '../../../support/hand-clock.ts';
import { settled } from './fixture.ts';

/** A queue whose runs end when the test says so. */
function setUp(perSecond: number) {
  const clock = new HandClock();
  const began: number[] = [];
  const ends: (() => void)[] = [];
  const run = (key: number): Promise<void> => {
    began.push(key);
    return new Promise((resolve) => ends.push(resolve));
  };
  const queue = new PacedQueue<number>({ clock, run, perSecond: () => perSecond });
  const endAll = async (): Promise<void> => {
    for (const end of ends.splice(0)) end();
    await settled();
  };
  return { clock, queue, began, endAll };
}

it('begins no more runs in a quarter of a second than the rate allows', async () => {
  const { clock, queue, began, endAll } = setUp(20);
  for (let key = 0; key < 12; key += 1) queue.add(key);
  await endAll();
  expect(began).toEqual([0, 1, 2, 3, 4]);
  clock.pass(250);
  await endAll();
  expect(began).toHaveLength(10);
  clock.pass(250);
  expect(began).toHaveLength(12);
});

it('runs at most 16 keys at the same time', async () => {
  const { queue, began, endAll } = setUp(1_000);
  for (let key = 0; key < 40; key += 1) queue.add(key);
  expect(began).toHaveLength(16);
  await endAll();
  expect(began).toHaveLength(32);
});

it('does not add a key that waits or runs, and adds it again afterwards', async () => {
  const { clock, queue, began, endAll } = setUp(4);
  for (const key of [1, 1, 2, 2]) queue.add(key);
  clock.pass(250);
  expect(began).toEqual([1, 2]);
  await endAll();
  clock.pass(250);
  queue.add(1);
  expect(began).toEqual([1, 2, 1]);
});

it('begins nothing after it was stopped, and leaves no timer', () => {
  const { clock, queue, began } = setUp(4);
  queue.add(1);
  queue.add(2);
  queue.stop();
  queue.add(3);
  expect(clock.pending).toBe(0);
  clock.pass(1_000);
  expect(began).toEqual([1]);
});
