import type { Clock, Timer } from '../../src/application/ports/clock.ts';

interface Task {
  readonly at: number;
  run: (() => void) | null;
}

/**
 * Time that goes on only when there is nothing left to do now: seconds pass in no time, and a run with the same seed is the same run.
 * Work that needs real time (a database in a thread) is done through `hold`, during which time stands still.
 */
export class VirtualTime implements Clock {
  #now = 0;
  /** Wall clock time at the monotonic time 0. */
  #wallStart = Date.UTC(2026, 0, 1);
  /** By time, and for the same time in the order of asking. */
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

  /** Lets time pass until `main` has settled. @throws Error when it waits for what never happens */
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
      if (task === undefined) throw new Error('nothing is left that could happen');
      this.#now = task.at;
      task.run?.();
    }
  }
}
