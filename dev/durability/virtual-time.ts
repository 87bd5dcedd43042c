import type { Clock, Timer } from '../../src/application/ports/clock.ts';

interface Task {
  readonly at: number;
  run: (() => void) | null;
}

/**
 * Virtual time. It advances only when no work is left for the current moment, so seconds pass at
 * once and a seed gives the same run again. Work that needs real time (a database in a thread) goes
 * through `hold`; virtual time stands still meanwhile.
 */
export class VirtualTime implements Clock {
  #now = 0;
  /** Wall-clock time at the monotonic time 0. */
  #wallStart = Date.UTC(2026, 0, 1);
  /** Tasks by time; tasks of the same time in the order of their creation. */
  readonly #tasks: Task[] = [];
  #working = 0;

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

  after(ms: number, run: () => void): Timer {
    const task: Task = { at: this.#now + Math.max(0, ms), run };
    let low = 0;
    let high = this.#tasks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#tasks[middle]?.at ?? 0) <= task.at) low = middle + 1;
      else high = middle;
    }
    this.#tasks.splice(low, 0, task);
    return {
      cancel: () => {
        task.run = null;
      },
    };
  }

  soon(run: () => void): void {
    this.after(0, run);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  async hold<T>(work: Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work;
    } finally {
      this.#working -= 1;
    }
  }

  /**
   * Advances time until `main` has settled.
   * @throws Error if no task is left and `main` still waits
   */
  async run<T>(main: Promise<T>): Promise<T> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    main.then(end, end);
    for (;;) {
      do await new Promise((resolve) => setImmediate(resolve));
      while (this.#working > 0);
      if (over) return main;
      const task = this.#tasks.shift();
      if (task === undefined) throw new Error('no task is left, and the main task still waits');
      this.#now = task.at;
      task.run?.();
    }
  }
}
