import type { Clock } from '../ports/clock.ts';

/** Keeps a minimum interval between the beginnings of an activity, such as appends. */
export class Pace {
  readonly #clock: Clock;
  #beganAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The activity begins now. */
  begin(): void {
    this.#beganAt = this.#clock.monotonic();
  }

  /**
   * Milliseconds until the activity may begin again. `interval` is the minimum between two
   * beginnings, in milliseconds.
   */
  left(interval: number): number {
    return Math.max(0, this.#beganAt + interval - this.#clock.monotonic());
  }
}
