import { Refusal } from '../domain/errors.ts';
import type { UserId } from '../domain/ids.ts';
import type { ConversationKey } from '../domain/place.ts';
import type { Limits } from './limits.ts';
import type { Clock } from './ports/clock.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** One token bucket a key; full ones are forgotten. */
class Buckets {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #buckets = new Map<UserId, Bucket>();
  #prunedAt = 0;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
  }

  take(key: UserId, now: number): boolean {
    if (this.#perMs === Infinity) return true;
    this.#prune(now);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: this.#burst, at: now };
      this.#buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #prune(now: number): void {
    if (now - this.#prunedAt < 10_000) return;
    this.#prunedAt = now;
    for (const [key, bucket] of this.#buckets) {
      if (bucket.tokens + (now - bucket.at) * this.#perMs >= this.#burst) this.#buckets.delete(key);
    }
  }
}

/** How often a user may do what, on this server. */
export class Rates {
  readonly #clock: Clock;
  readonly #messages: Buckets;
  readonly #steps: Buckets;
  readonly #uploads: Buckets;
  readonly #typingMs: number;
  readonly #typed = new Map<string, number>();
  #typedPrunedAt = 0;

  constructor(limits: Limits, clock: Clock) {
    this.#clock = clock;
    this.#messages = new Buckets(limits.messagesPerSecond, limits.messagesBurst);
    this.#steps = new Buckets(limits.messagesPerSecond, limits.messagesBurst);
    this.#uploads = new Buckets(limits.uploadsPerMinute / 60, limits.uploadsPerMinute);
    this.#typingMs = limits.typingSeconds * 1000;
  }

  /** @throws Refusal `too-fast` */
  message(userId: UserId): void {
    if (!this.#messages.take(userId, this.#clock.now()))
      throw new Refusal('too-fast', 'too many messages in a short time');
  }

  /** A move to another place or a question about voice channels: as often as messages, counted apart. @throws Refusal `too-fast` */
  step(userId: UserId): void {
    if (!this.#steps.take(userId, this.#clock.now())) throw new Refusal('too-fast', 'too many moves in a short time');
  }

  /** @throws Refusal `too-fast` */
  upload(userId: UserId): void {
    if (!this.#uploads.take(userId, this.#clock.now()))
      throw new Refusal('too-fast', 'too many uploads in a short time');
  }

  /** False: this user's last notice in that place is too recent, nobody needs another. */
  typing(userId: UserId, place: ConversationKey): boolean {
    const now = this.#clock.now();
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
}
