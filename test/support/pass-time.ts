import type { HandClock } from './hand-clock.ts';

/** Lets the event loop turn until work on embedded adapters in memory is done. */
export async function turnEventLoop(turns = 10): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Lets time pass in steps of 50 ms. After each step, servers in this process receive what the
 * others have sent.
 */
export async function passTime(clock: HandClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    clock.pass(Math.min(50, left));
    await turnEventLoop(5);
  }
}
