import { EventEmitter } from 'node:events';
import type { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StoreClock } from '../../../src/adapters/mongo/store-clock.ts';

const STORE_TIME = Date.UTC(2026, 10, 27, 12);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const client = new EventEmitter();
  const clock = new StoreClock(client as unknown as MongoClient);
  const answer = (localTime: number, isWritablePrimary = true) =>
    client.emit('serverHeartbeatSucceeded', { reply: { isWritablePrimary, localTime: new Date(localTime) } });
  return { clock, answer };
}

it('uses the clock of this process until the primary has answered', () => {
  const { clock, answer } = start();
  vi.setSystemTime(STORE_TIME + 600_000);
  answer(STORE_TIME, false);
  expect(clock.now()).toBe(STORE_TIME + 600_000);
});

it('follows the clock of the primary, whatever the clock of this process does', () => {
  const { clock, answer } = start();
  vi.setSystemTime(STORE_TIME + 600_000);
  answer(STORE_TIME);
  vi.advanceTimersByTime(5_000);
  expect(clock.now()).toBe(STORE_TIME + 5_000);
  vi.setSystemTime(STORE_TIME - 3_600_000);
  expect(clock.now()).toBe(STORE_TIME + 5_000);
});

it('ignores an answer that was read late, as after a pause, and follows the primary when its clock is set back', () => {
  const { clock, answer } = start();
  answer(STORE_TIME);
  vi.advanceTimersByTime(60_000);
  answer(STORE_TIME + 3_000);
  expect(clock.now()).toBe(STORE_TIME + 60_000);
  for (let second = 1; second <= 6; second += 1) {
    vi.advanceTimersByTime(1_000);
    answer(STORE_TIME + second * 1_000);
  }
  expect(clock.now()).toBe(STORE_TIME + 6_000);
});
