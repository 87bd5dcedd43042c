import type { Clock } from '../ports/clock.ts';

/** A least time between the beginnings of something. */
export class Pace {
  readonly #clock: Clock;
  #beganAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It begins now. */
  begin(): void {
    this.#beganAt = this.#clock.now();
  }

  /** Milliseconds until it may begin again, where `every` lie between two beginnings. A clock that was set back makes nobody wait. */
  left(every: number): number {
    const left = this.#beganAt + every - this.#clock.now();
    return left > every ? 0 : Math.max(0, left);
  }
}
