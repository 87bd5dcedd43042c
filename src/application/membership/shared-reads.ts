import type { Clock } from '../ports/clock.ts';

interface Reads {
  /** The read that has not begun yet. */
  next: Promise<void> | null;
  /** Resolves at the end of the read that is under way. Never rejects. */
  running: Promise<void>;
  /** Times of the reads in the last second, by the monotonic clock. */
  beganAt: number[];
}

const SPAN_MS = 1_000;
/** Reads of one key in a second. */
const MAX_IN_SPAN = 5;
const PRUNE_EVERY_MS = 10_000;

export interface SharedReadsParts<K> {
  readonly clock: Clock;
  /** @param isLookUp true if the first caller of this read is somebody who waits for it */
  readonly read: (key: K, isLookUp: boolean) => Promise<void>;
}

/**
 * Reads that many callers share. Each caller gets a read that begins after the call, so that it
 * sees every change from before the call. There is one read of a key at a time and five begin in a
 * second; callers in between wait for the next one and share it.
 */
export class SharedReads<K> {
  readonly #parts: SharedReadsParts<K>;
  readonly #reads = new Map<K, Reads>();
  #prunedAt = 0;

  constructor(parts: SharedReadsParts<K>) {
    this.#parts = parts;
  }

  /** Resolves at the end of a read that began after this call. Rejects with the read's error. */
  read(key: K, isLookUp: boolean): Promise<void> {
    this.#prune();
    let reads = this.#reads.get(key);
    if (reads === undefined) {
      reads = { next: null, running: Promise.resolve(), beganAt: [] };
      this.#reads.set(key, reads);
    }
    reads.next ??= this.#begin(key, reads, isLookUp);
    return reads.next;
  }

  async #begin(key: K, reads: Reads, isLookUp: boolean): Promise<void> {
    const { clock, read } = this.#parts;
    await reads.running;
    const oldest = reads.beganAt.at(-MAX_IN_SPAN);
    const waitMs = oldest === undefined ? 0 : oldest + SPAN_MS - clock.monotonic();
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    reads.next = null;
    reads.beganAt = [...reads.beganAt.slice(1 - MAX_IN_SPAN), clock.monotonic()];
    const reading = read(key, isLookUp);
    reads.running = reading.catch(() => {});
    return reading;
  }

  #prune(): void {
    const now = this.#parts.clock.monotonic();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    for (const [key, { next, beganAt }] of this.#reads) {
      // Every read ends long before this time, because the directory has a timeout.
      if (next === null && (beganAt.at(-1) ?? 0) < now - PRUNE_EVERY_MS) this.#reads.delete(key);
    }
  }
}
