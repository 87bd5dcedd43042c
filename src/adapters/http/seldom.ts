import type { Clock } from '../../application/ports/clock.ts';

/** Returns a function that returns true at most once in so many milliseconds. */
export function seldom(clock: Pick<Clock, 'monotonic'>, intervalMs: number): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.monotonic();
    if (now - last < intervalMs) return false;
    last = now;
    return true;
  };
}
