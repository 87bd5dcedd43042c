import { Refused, Unanswered } from './errors.ts';

/** The longest time that a timer takes. A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls `work` after `ms` milliseconds. Returns a function that cancels it. */
export function after(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, Math.min(Math.max(0, ms), MAX_TIMER_MS));
  return () => clearTimeout(timer);
}

/** @throws Unanswered where `promise` is not settled within `ms` milliseconds */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = after(ms, () => reject(new Unanswered(`${what} took more than ${ms / 1000} s`)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}

/** Pauses between attempts, with full jitter: random between 0 and a limit that doubles. */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(baseMs: number, maxMs: number, random: () => number) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /**
   * Counts a failure and returns the pause in milliseconds. A pause that the server asked for is
   * kept.
   */
  next(error?: unknown): number {
    const limit = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#failures++);
    const asked = error instanceof Refused ? (error.retryAfterMs ?? 0) : 0;
    return asked + this.#random() * limit;
  }

  reset(): void {
    this.#failures = 0;
  }
}
