import type { Clock, Timer } from '../ports/clock.ts';

/** The rate is kept in steps of this length, in milliseconds. */
const STEP_MS = 250;
/** Runs at the same time. The rest of the directory's capacity is for users who wait. */
const MAX_PARALLEL = 16;

export interface PacedQueueParts<K> {
  readonly clock: Clock;
  /** Must not reject. */
  readonly run: (key: K) => Promise<void>;
  /** Runs that may begin in a second. */
  readonly perSecond: () => number;
}

/** Work in the background at a limited rate. A key that waits or runs is not added again. */
export class PacedQueue<K> {
  readonly #parts: PacedQueueParts<K>;
  readonly #waiting = new Set<K>();
  readonly #running = new Set<K>();
  /** Runs that may still begin in this step. */
  #left = 0;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(parts: PacedQueueParts<K>) {
    this.#parts = parts;
  }

  add(key: K): void {
    if (this.#isStopped || this.#running.has(key)) return;
    this.#waiting.add(key);
    if (this.#timer === null) this.#step();
    else this.#drain();
  }

  /** Begins no further run. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #step(): void {
    const { clock, perSecond } = this.#parts;
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    this.#left = Math.ceil((perSecond() * STEP_MS) / 1000);
    this.#timer = clock.after(STEP_MS, () => this.#step());
    this.#drain();
  }

  #drain(): void {
    for (const key of this.#waiting) {
      if (this.#left <= 0 || this.#running.size >= MAX_PARALLEL) return;
      this.#left -= 1;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#parts.run(key).finally(() => {
        this.#running.delete(key);
        this.#drain();
      });
    }
  }
}
