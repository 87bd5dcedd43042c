/** Steps at a time, at most. */
const MAX_STEPS = 8;
/** Added to the limit after each fast probe. */
const RAISE = 0.25;
/** A probe is slow beyond this multiple of the time that it took before the first step. */
const SLOW_FACTOR = 3;
/** A probe below this time is never slow, in milliseconds. */
const MIN_SLOW_MS = 25;

/**
 * Limits how many steps of a large job run at a time, so that the clients of the same database keep
 * their share. A probe does what an append of a client does. After a slow probe, half as many steps
 * run at a time, but always one. After a fast one, the limit rises.
 */
export class Pace {
  readonly #slowMs: number;
  #limit = 1;
  #active = 0;
  #waiting: (() => void)[] = [];

  /** @param idleMs time of a probe before the first step, in milliseconds */
  constructor(idleMs: number) {
    this.#slowMs = Math.max(MIN_SLOW_MS, idleMs * SLOW_FACTOR);
  }

  /** Steps that may run at a time now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Takes the time of a probe, in milliseconds. */
  probed(ms: number): void {
    this.#limit = ms > this.#slowMs ? Math.max(1, this.#limit / 2) : Math.min(MAX_STEPS, this.#limit + RAISE);
    this.#admit();
  }

  /** Runs the step when there is room. */
  async run<T>(step: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#admit();
    });
    try {
      return await step();
    } finally {
      this.#active -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#active < this.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#active += 1;
      next();
    }
  }
}
