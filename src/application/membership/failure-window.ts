import type { MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';

interface Waiting {
  readonly limit: number;
  readonly resolve: (isAdmitted: boolean) => void;
}

/**
 * Admits attempts until a number of them have failed within a span of time. An attempt that is
 * under way counts as failed until it ends, so parallel attempts cannot exceed the limit. Attempts
 * that find no room wait, in order, for those that are under way.
 */
export class FailureWindow {
  readonly #clock: Clock;
  readonly #spanMs: number;
  /** Times of the failures in the span, oldest first, by the monotonic clock. */
  readonly #failedAt: number[] = [];
  readonly #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(clock: Clock, spanMs: number) {
    this.#clock = clock;
    this.#spanMs = spanMs;
  }

  /** True if no attempt is under way and none failed within the span. */
  get isIdle(): boolean {
    return this.#underWay === 0 && this.#failures() === 0;
  }

  /**
   * True if the attempt may begin. The caller must call `leave` at its end. False if `limit`
   * attempts have failed within the span.
   */
  enter(limit: number): MaybePromise<boolean> {
    const failures = this.#failures();
    if (failures >= limit) return false;
    if (this.#waiting.length > 0 || failures + this.#underWay >= limit) {
      return new Promise((resolve) => this.#waiting.push({ limit, resolve }));
    }
    this.#underWay += 1;
    return true;
  }

  /** Ends an attempt that was admitted. */
  leave(hasFailed: boolean): void {
    this.#underWay -= 1;
    if (hasFailed) this.#failedAt.push(this.#clock.monotonic());
    const failures = this.#failures();
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const isAdmitted = failures < first.limit;
      if (isAdmitted && failures + this.#underWay >= first.limit) return;
      this.#waiting.shift();
      if (isAdmitted) this.#underWay += 1;
      first.resolve(isAdmitted);
    }
  }

  #failures(): number {
    const from = this.#clock.monotonic() - this.#spanMs;
    let old = 0;
    while (old < this.#failedAt.length && (this.#failedAt[old] ?? 0) <= from) old += 1;
    if (old > 0) this.#failedAt.splice(0, old);
    return this.#failedAt.length;
  }
}
