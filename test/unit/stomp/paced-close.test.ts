import { expect, it } from 'vitest';
import { closePaced } from '../../../src/adapters/stomp/paced-close.ts';
import { HandClock } from '../../support/hand-clock.ts';

/** Sessions that note when they were asked to close. */
function sessionsOn(clock: HandClock, count: number) {
  const closedAt: number[] = [];
  const sessions = Array.from({ length: count }, () => ({
    isOver: false,
    drain() {
      this.isOver = true;
      closedAt.push(clock.monotonic());
    },
  }));
  return { sessions, closedAt };
}

const CLOSE = { code: 1012, reason: 'the server is stopping' };

it('spreads the closes evenly over the time, and closes each session once', async () => {
  const clock = new HandClock();
  const { sessions, closedAt } = sessionsOn(clock, 1_000);
  const done = closePaced({ ...CLOSE, sessions, clock, overMs: 20_000 });
  for (let second = 1; second <= 20; second++) {
    for (let step = 0; step < 10; step++) clock.pass(100);
    expect(Math.abs(closedAt.length - second * 50)).toBeLessThanOrEqual(10);
  }
  await done;
  expect(closedAt).toHaveLength(1_000);
});

it('closes all sessions at once without a time', async () => {
  const clock = new HandClock();
  const { sessions, closedAt } = sessionsOn(clock, 3);
  await closePaced({ ...CLOSE, sessions, clock, overMs: 0 });
  expect(closedAt).toEqual([0, 0, 0]);
});

it('ends early when the last session has ended by itself, and leaves out those that have', async () => {
  const clock = new HandClock();
  const { sessions, closedAt } = sessionsOn(clock, 4);
  let isDone = false;
  const done = closePaced({ ...CLOSE, sessions, clock, overMs: 60_000 }).then(() => {
    isDone = true;
  });
  for (const session of sessions) session.isOver = true;
  clock.pass(100);
  await done;
  expect({ isDone, closed: closedAt.length }).toEqual({ isDone: true, closed: 1 });
});

it('closes the rest at once after the process was stopped for the whole time', async () => {
  const clock = new HandClock();
  const { sessions, closedAt } = sessionsOn(clock, 500);
  const done = closePaced({ ...CLOSE, sessions, clock, overMs: 10_000 });
  clock.stall(60_000);
  clock.pass(100);
  await done;
  expect(closedAt).toHaveLength(500);
});
