import type { Clock, Timer } from '../../src/application/ports/clock.ts';

/** A clock that a test sets forward. Timers run inside `pass`; `soon` uses the event loop. */
export class HandClock implements Clock {
  #now = 0;
  /** Wall clock time at the monotonic time 0. */
  #wallStart = Date.UTC(2026, 10, 22, 15, 49, 35, 642);
  #tasks: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#wallStart + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Sets the wall clock forward, or back where `ms` is negative. Timers do not notice. */
  jump(ms: number): void {
    this.#wallStart += ms;
  }

  /**
   * Lets time pass without running tasks, as for a paused process. The tasks that fall due run
   * late, in the next `pass`.
   */
  stall(ms: number): void {
    this.#now += ms;
  }

  after(ms: number, task: () => void): Timer {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((other) => other !== entry);
      },
    };
  }

  soon(task: () => void): void {
    setImmediate(task);
  }

  get pending(): number {
    return this.#tasks.length;
  }

  /** Sets the clock forward by `ms` and runs the timers that fall due, each at its own time. */
  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#tasks.filter((entry) => entry.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = until;
  }
}
