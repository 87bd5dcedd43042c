import type { Clock } from '../ports/clock.ts';

/** Keeps a minimum time between the beginnings of something. */
export class Pace {
  readonly #clock: Clock;
  #beganAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It begins now. */
  begin(): void {
    this.#beganAt = this.#clock.monotonic();
  }

  /** Milliseconds until it may begin again with `interval` milliseconds between two beginnings. */
  left(interval: number): number {
    return Math.max(0, this.#beganAt + interval - this.#clock.monotonic());
  }
}
