import type { Clock, Timer } from '../../application/ports/clock.ts';

/** Longest time that setTimeout takes, in milliseconds; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1;

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
      timer = left > LONGEST ? setTimeout(wait, LONGEST, left - LONGEST) : setTimeout(task, left);
      timer.unref();
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  }

  soon(task: () => void): void {
    // The event loop comes to immediates after it has read what the sockets hold.
    setImmediate(task);
  }
}
