import type { Clock, Timer } from '../../application/ports/clock.ts';

/** The longest delay that setTimeout supports, in milliseconds. A longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, task: () => void): Timer {
    let timer: NodeJS.Timeout;
    const wait = (left: number) => {
      timer = left > MAX_DELAY_MS ? setTimeout(wait, MAX_DELAY_MS, left - MAX_DELAY_MS) : setTimeout(task, left);
      timer.unref();
    };
    // Node prints a warning for a negative time, such as that of a deadline that has passed.
    wait(Math.max(0, ms));
    return { cancel: () => clearTimeout(timer) };
  }

  soon(task: () => void): void {
    // The event loop runs immediates after it has read the sockets.
    setImmediate(task);
  }
}
