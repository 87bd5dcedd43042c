import { Redis, ReplyError } from 'ioredis';
import { z } from 'zod';
import type { MemberCache } from '../../application/ports/member-cache.ts';
import { parseId, type UserId } from '../../domain/ids.ts';
import { idOf, isRoom, type MemberListKey } from '../../domain/place.ts';

export interface RedisMemberCacheOptions {
  /** `redis://host:port`, or `rediss:` for TLS. */
  readonly url: string;
  /** Default 14 days (seconds). */
  readonly ttlSeconds?: number;
  /** Bound of a call (ms); default 200. */
  readonly timeoutMs?: number;
  /** How long Redis is left alone after a call without an answer (ms); default 1 s. */
  readonly restMs?: number;
  /** Before every key; default none, as the neighbours read them. */
  readonly prefix?: string;
  /** Redis was lost, or answers (again). Must not throw. */
  readonly onDown?: (reason: string) => void;
  readonly onUp?: () => void;
}

/** Lists remembered as outdated at most; the oldest go first. */
const MOST_OUTDATED = 50_000;
const FOURTEEN_DAYS = 14 * 24 * 60 * 60;
const VALUE = z.object({ members: z.array(z.unknown()) });

/**
 * Members in Redis, at the keys and in the form that the original and its neighbours use: `R5` to `{"members":[1,2,3]}`. A list that could
 * not be replaced or removed while Redis was away counts as missing, and is removed when Redis is back: the old one would stand for days.
 */
export class RedisMemberCache implements MemberCache {
  readonly #redis: Redis;
  readonly #ttl: number;
  readonly #restMs: number;
  readonly #onDown: (reason: string) => void;
  readonly #onUp: () => void;
  readonly #outdated = new Set<string>();
  #restUntil = 0;
  #isUp = true;

  /** Dials at once, and again whenever the connection is lost. */
  constructor(options: RedisMemberCacheOptions) {
    const timeoutMs = options.timeoutMs ?? 200;
    this.#ttl = options.ttlSeconds ?? FOURTEEN_DAYS;
    this.#restMs = options.restMs ?? 1_000;
    this.#onDown = options.onDown ?? (() => {});
    this.#onUp = options.onUp ?? (() => {});
    this.#redis = new Redis(options.url, {
      commandTimeout: timeoutMs,
      connectTimeout: 1_000,
      // What a service that hangs leaves unanswered must not pile up.
      socketTimeout: 2_000,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      keyPrefix: options.prefix ?? '',
      retryStrategy: (times) => Math.min(2_000, 50 * 2 ** Math.min(times, 6)) * (1 - Math.random() / 2),
    });
    this.#redis.on('error', (error: Error) => this.#down(error.message));
    this.#redis.on('ready', () => {
      this.#restUntil = 0;
      this.#up();
    });
  }

  /** True when the connection stands, at once or within `ms`; calls made before find nothing. */
  async connected(ms: number): Promise<boolean> {
    if (this.#redis.status !== 'ready') {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      this.#redis.once('ready', resolve);
      await promise;
      clearTimeout(timer);
      this.#redis.off('ready', resolve);
    }
    return this.#redis.status === 'ready';
  }

  async get(place: MemberListKey): Promise<readonly UserId[] | null> {
    const key = redisKey(place);
    if (this.#outdated.has(key)) return null;
    const text = await this.#ask(() => this.#redis.get(key));
    return typeof text === 'string' ? readMembers(text) : null;
  }

  async put(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    const key = redisKey(place);
    const value = JSON.stringify({ members });
    await this.#change(key, () => this.#redis.set(key, value, 'EX', this.#ttl));
  }

  async add(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    const key = redisKey(place);
    // What could not be replaced is about to be removed, and a list added now with it.
    if (this.#outdated.has(key)) return;
    await this.#ask(() => this.#redis.set(key, JSON.stringify({ members }), 'EX', this.#ttl, 'NX'));
  }

  /** Hangs up. Idempotent. */
  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #change(key: string, command: () => Promise<unknown>): Promise<void> {
    if ((await this.#ask(command)) !== null) this.#outdated.delete(key);
    else {
      this.#outdated.add(key);
      const [oldest] = this.#outdated;
      if (this.#outdated.size > MOST_OUTDATED && oldest !== undefined) this.#outdated.delete(oldest);
    }
  }

  async #removeOutdated(): Promise<void> {
    for (const key of this.#outdated) {
      if ((await this.#ask(() => this.#redis.del(key))) === null) return;
      this.#outdated.delete(key);
    }
  }

  /** Null where Redis does not answer. */
  async #ask<T>(command: () => Promise<T>): Promise<T | null> {
    if (this.#redis.status !== 'ready' || performance.now() < this.#restUntil) return null;
    try {
      const answer = await command();
      if (!this.#isUp) this.#up();
      return answer;
    } catch (error) {
      // Redis answered that it can't do this, such as for a key of another type.
      if (error instanceof ReplyError) return null;
      this.#restUntil = performance.now() + this.#restMs;
      this.#down(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  #up(): void {
    if (!this.#isUp) this.#onUp();
    this.#isUp = true;
    void this.#removeOutdated();
  }

  #down(reason: string): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#onDown(reason);
  }
}

/** Ids that are numbers or decimal texts; null for a value of any other form, which then counts as not there. */
export function readMembers(text: string): UserId[] | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const read = VALUE.safeParse(json);
  if (!read.success) return null;
  const ids = read.data.members.map(parseId);
  return ids.some((id) => id === null) ? null : ids.filter((id) => id !== null);
}

/** The key of a list in Redis: `R5` for a room, `CH1` for a community. The neighbour services use the same keys. */
function redisKey(place: MemberListKey): string {
  return isRoom(place) ? `R${idOf(place)}` : `CH${idOf(place)}`;
}
