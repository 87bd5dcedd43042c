import { Refusal } from '../domain/errors.ts';
import type { UserId } from '../domain/ids.ts';
import type { ConversationKey } from '../domain/place.ts';
import type { MaybePromise } from './commands.ts';
import type { Limits } from './limits.ts';
import type { Clock } from './ports/clock.ts';
import type { RatedAction, SharedRateLimits, SharedRates } from './ports/shared-rates.ts';

interface Bucket {
  tokens: number;
  /** When `tokens` was computed, in milliseconds of the monotonic clock. */
  at: number;
}

const PRUNE_EVERY_MS = 10_000;

/** One token bucket for each user. A full bucket is removed from memory. */
class Buckets {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #buckets = new Map<UserId, Bucket>();
  #prunedAt = 0;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
  }

  /** Takes a token. Returns 0, or the milliseconds until there is one. */
  take(userId: UserId, now: number): number {
    if (this.#perMs === Infinity) return 0;
    this.#prune(now);
    let bucket = this.#buckets.get(userId);
    if (bucket === undefined) {
      bucket = { tokens: this.#burst, at: now };
      this.#buckets.set(userId, bucket);
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.#perMs);
    bucket.tokens -= 1;
    return 0;
  }

  #prune(now: number): void {
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    for (const [userId, bucket] of this.#buckets) {
      if (bucket.tokens + (now - bucket.at) * this.#perMs >= this.#burst) this.#buckets.delete(userId);
    }
  }
}

export interface RatesParts {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Counts over all servers; null: each server counts for itself. */
  readonly shared: SharedRates | null;
  /** True for a user who has, or just had, a session on another server. */
  readonly isElsewhere: (userId: UserId) => boolean;
}

/** The limits of a count over all servers; null where a limit is off. */
export function sharedRateLimits(limits: Limits): SharedRateLimits | null {
  const { messagesPerSecond, messagesBurst, uploadsPerMinute } = limits;
  if (![messagesPerSecond, messagesBurst, uploadsPerMinute].every(Number.isFinite)) return null;
  const seconds = Math.max(1, Math.ceil(messagesBurst / messagesPerSecond));
  return {
    message: { actions: Math.max(messagesBurst, messagesPerSecond * seconds), seconds },
    upload: { actions: uploadsPerMinute, seconds: 60 },
  };
}

/**
 * Limits how often a user may do something. This server's count decides at once. What passes it is
 * counted over all servers too if the user may also be at another one.
 */
export class Rates {
  readonly #parts: RatesParts;
  readonly #messages: Buckets;
  readonly #steps: Buckets;
  readonly #uploads: Buckets;
  readonly #typingMs: number;
  /** The time of the last typing notice by user and place. */
  readonly #typed = new Map<string, number>();
  #typedPrunedAt = 0;

  constructor(parts: RatesParts) {
    const { limits } = parts;
    this.#parts = parts;
    this.#messages = new Buckets(limits.messagesPerSecond, limits.messagesBurst);
    this.#steps = new Buckets(limits.messagesPerSecond, limits.messagesBurst);
    this.#uploads = new Buckets(limits.uploadsPerMinute / 60, limits.uploadsPerMinute);
    this.#typingMs = limits.typingSeconds * 1000;
  }

  /** Counts a message, reply, edit, deletion or file. @throws Refusal `too-fast` */
  message(userId: UserId): MaybePromise<void> {
    const limit = `${this.#parts.limits.messagesPerSecond} a second`;
    const wait = this.#messages.take(userId, this.#parts.clock.monotonic());
    if (wait > 0) throw tooFast('messages', limit, wait);
    return this.#everywhere('message', userId, (left) => tooFast('messages', limit, left));
  }

  /**
   * Counts a move to another place or a question about voice channels. The limit is the same as for
   * messages, the count is separate.
   * @throws Refusal `too-fast`
   */
  step(userId: UserId): void {
    const wait = this.#steps.take(userId, this.#parts.clock.monotonic());
    const limit = `${this.#parts.limits.messagesPerSecond} a second`;
    if (wait > 0) throw tooFast('moves and voice channel requests', limit, wait);
  }

  /** Counts an upload. @throws Refusal `too-fast` */
  upload(userId: UserId): MaybePromise<void> {
    const limit = `${this.#parts.limits.uploadsPerMinute} a minute`;
    const wait = this.#uploads.take(userId, this.#parts.clock.monotonic());
    if (wait > 0) throw tooFast('uploads', limit, wait);
    return this.#everywhere('upload', userId, (left) => tooFast('uploads', limit, left));
  }

  /** Returns false if the user's last typing notice in that place is too recent for another one. */
  typing(userId: UserId, place: ConversationKey): boolean {
    const now = this.#parts.clock.monotonic();
    if (now - this.#typedPrunedAt > this.#typingMs * 2) {
      this.#typedPrunedAt = now;
      for (const [key, at] of this.#typed) if (now - at >= this.#typingMs) this.#typed.delete(key);
    }
    const key = `${userId}:${place}`;
    const last = this.#typed.get(key);
    if (last !== undefined && now - last < this.#typingMs) return false;
    this.#typed.set(key, now);
    return true;
  }

  /** Counts an action over all servers. For most users there is nothing to wait for. */
  #everywhere(action: RatedAction, userId: UserId, refusal: (wait: number) => Refusal): MaybePromise<void> {
    const { shared, isElsewhere } = this.#parts;
    if (shared === null || !isElsewhere(userId)) return;
    return shared.take(action, userId).then((wait) => {
      if (wait !== null && wait > 0) throw refusal(wait);
    });
  }
}

function tooFast(things: string, limit: string, retryAfterMs: number): Refusal {
  return new Refusal('too-fast', `too many ${things}; the limit is ${limit}`, { retryAfterMs });
}
