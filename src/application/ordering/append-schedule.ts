import type { Clock, Timer } from '../ports/clock.ts';
import { Pace } from './pace.ts';

/**
 * With this many events waiting, an append begins without waiting for the store's recommended
 * interval, and beside one that is under way. An append of few events costs the server and the
 * store nearly as much as one of hundreds. At a thousand messages a second in as many rooms this
 * halves the CPU time of a message.
 */
const MANY_EVENTS = 32;

export interface AppendScheduleParts {
  readonly clock: Clock;
  /** Appends that may be under way at the same time. */
  readonly maxInFlight: number;
  /** The store's recommended interval between small appends, in milliseconds. */
  readonly interval: number;
  /** True when at least this many events wait for an append. */
  readonly waitFor: (events: number) => boolean;
  /**
   * Called when an append may begin. `full` is false when only batches that are already prepared
   * may be written.
   */
  readonly begin: (full: boolean) => void;
}

/**
 * Decides when the next append begins: at once when the store is idle, otherwise later, so that
 * events gather into few large appends.
 */
export class AppendSchedule {
  readonly #parts: AppendScheduleParts;
  readonly #pace: Pace;
  #inFlight = 0;
  #isScheduled = false;
  #timer: Timer | null = null;

  constructor(parts: AppendScheduleParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts.clock);
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#parts.maxInFlight;
  }

  /** An append goes to the store now. */
  began(): void {
    this.#inFlight += 1;
    this.#pace.begin();
  }

  ended(): void {
    this.#inFlight -= 1;
    this.request();
  }

  /**
   * Something waits for an append. `begin` is called soon, but after all input that has already
   * arrived is handled, so that this input shares the append.
   */
  request(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.clock.soon(() => {
      this.#isScheduled = false;
      const ms = this.#untilNext();
      if (ms > 0 && ms < Infinity) this.#requestIn(ms);
      this.#parts.begin(ms === 0);
    });
  }

  #requestIn(ms: number): void {
    this.#timer ??= this.#parts.clock.after(ms, () => {
      this.#timer = null;
      this.request();
    });
  }

  /**
   * Milliseconds until waiting events may go out; Infinity when an append has to end first or
   * nothing waits.
   */
  #untilNext(): number {
    const { interval, waitFor } = this.#parts;
    if (!this.hasRoom || !waitFor(1)) return Infinity;
    const left = this.#inFlight === 0 ? this.#pace.left(interval) : Infinity;
    return left === 0 || waitFor(MANY_EVENTS) ? 0 : left;
  }
}
