import { Cluster, type Redis, ReplyError } from 'ioredis';
import { z } from 'zod';
import { BoundedMap } from '../../application/bounded-map.ts';
import { type ListsPart, type MemberCache, REPORT_STANDS_MS } from '../../application/ports/member-cache.ts';
import { Refusal } from '../../domain/errors.ts';
import { parseId, type UserId } from '../../domain/ids.ts';
import { idOf, isRoom, type MemberListKey } from '../../domain/place.ts';
import type { TlsOptions } from '../support/tls.ts';
import { createRedisClient, onNewPrimary, type RedisClient } from './client.ts';
import type { RedisLocation } from './location.ts';

export interface RedisMemberCacheOptions {
  readonly location: RedisLocation;
  /** Authorities for TLS; null or not given: those of Node.js. */
  readonly tls?: TlsOptions | null;
  /** Lifetime of a list, in seconds. Default: 14 days. */
  readonly ttlSeconds?: number;
  /**
   * Time for which `mend` does not replace a list that was put, in milliseconds. Default: 10
   * seconds.
   */
  readonly reportStandsMs?: number;
  /** Timeout of a call, in milliseconds. Default: 200. */
  readonly timeoutMs?: number;
  /**
   * After a call without an answer, no call is sent for this time, in milliseconds. Default: 1,000.
   */
  readonly pauseMs?: number;
  /** Text before every key. Default: none, so that the neighbour services find the lists. */
  readonly prefix?: string;
  /** Redis does not answer any more. Must not throw. */
  readonly onDown?: (error: string) => void;
  /** Redis answers again. Must not throw. */
  readonly onUp?: () => void;
  /** Redis answers but refuses a command. Called at most once a minute. Must not throw. */
  readonly onRefused?: (error: string) => void;
}

/** Keys whose values in Redis are known to be outdated. */
const MAX_OUTDATED = 50_000;
const REFUSAL_INTERVAL_MS = 60_000;
/** Age up to which a write may be missing on a replica that becomes the primary. */
const REPLICATION_MS = 60_000;
const FOURTEEN_DAYS_IN_SECONDS = 14 * 24 * 60 * 60;
const VALUE = z.object({ members: z.array(z.unknown()) });
/**
 * KEYS: the list, its mark. ARGV: the value, its lifetime in seconds, the lifetime of the mark in
 * milliseconds. The mark says that the list was put. While it exists, `mend` does not replace the
 * list.
 */
const PUT = `
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 'OK'`;
/** KEYS and ARGV as above. Returns the list that stands, or `OK` if it was replaced. */
const MEND = `
if redis.call('EXISTS', KEYS[2]) == 1 then
  local standing = redis.call('GET', KEYS[1])
  if standing then return standing end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 'OK'`;

/** Replaces the value of a key by another one if it is still the first one. Keeps the lifetime. */
const REWRITE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') end
return 'OK'`;
const SCANNED_KEYS = 500;
/** Keys of member lists. */
const LIST_KEY = /^(R|CH)[1-9][0-9]*$/;

/**
 * Keeps member lists in Redis, with the keys and values that the original and its neighbour
 * services use: `R5` is `{"members":[1,2,3]}`.
 *
 * A list that could not be replaced while Redis was away is outdated there, and would otherwise
 * stand for days. This cache does not return it, and removes it as soon as Redis answers again. The
 * same holds for lists that were replaced shortly before a failover, since replication may have
 * lost the new ones.
 *
 * Beside a list that was put there is a mark for 10 seconds, `{R5}:put`. Its braces keep both keys
 * on one node of a Redis Cluster.
 */
export class RedisMemberCache implements MemberCache {
  readonly isShared = true;
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #ttlSeconds: number;
  readonly #reportStandsMs: number;
  readonly #pauseMs: number;
  readonly #onDown: (error: string) => void;
  readonly #onUp: () => void;
  readonly #onRefused: (error: string) => void;
  #refusalReportedAt = Number.NEGATIVE_INFINITY;
  readonly #outdated = new BoundedMap<string, true>(MAX_OUTDATED);
  /** Monotonic time at which each list was replaced. */
  readonly #replacedAt = new BoundedMap<string, number>(MAX_OUTDATED);
  #pausedUntil = 0;
  #isUp = true;

  /** Connects in the background, and again whenever the connection is lost. */
  constructor(options: RedisMemberCacheOptions) {
    this.#ttlSeconds = options.ttlSeconds ?? FOURTEEN_DAYS_IN_SECONDS;
    this.#reportStandsMs = options.reportStandsMs ?? REPORT_STANDS_MS;
    this.#pauseMs = options.pauseMs ?? 1_000;
    this.#onDown = options.onDown ?? (() => {});
    this.#onUp = options.onUp ?? (() => {});
    this.#onRefused = options.onRefused ?? (() => {});
    const { location, tls = null, timeoutMs = 200, prefix = '' } = options;
    this.#prefix = prefix;
    this.#redis = createRedisClient({ location, tls, timeoutMs, prefix });
    this.#redis.on('error', (error: Error) => this.#setDown(error.message));
    onNewPrimary(this.#redis, () => {
      this.#pausedUntil = 0;
      this.#distrustRecent();
      this.#setUp();
    });
  }

  async get(place: MemberListKey): Promise<readonly UserId[] | null> {
    const key = redisKey(place);
    if (this.#outdated.has(key)) return null;
    const text = await this.#send(() => this.#redis.get(key));
    return typeof text === 'string' ? readMembers(text) : null;
  }

  async put(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    await this.#replace(PUT, place, members);
  }

  async add(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    const key = redisKey(place);
    // An outdated list is about to be removed, and a list that is added now would go with it.
    if (this.#outdated.has(key)) return;
    await this.#send(() => this.#redis.set(key, JSON.stringify({ members }), 'EX', this.#ttlSeconds, 'NX'));
  }

  async mend(place: MemberListKey, members: readonly UserId[]): Promise<readonly UserId[] | null> {
    const answer = await this.#replace(MEND, place, members);
    return typeof answer === 'string' && answer !== 'OK' ? readMembers(answer) : null;
  }

  listsOf(userId: UserId, cursor: string | null): Promise<ListsPart> {
    return this.#eachListOf(userId, cursor, async () => {});
  }

  forget(userId: UserId, cursor: string | null): Promise<ListsPart> {
    return this.#eachListOf(userId, cursor, async (key, text, members) => {
      const without = JSON.stringify({ members: members.filter((member) => member !== userId) });
      // A list that was replaced meanwhile stays. Its user is found by the next run.
      await this.#demand(() => this.#redis.eval(REWRITE, 1, key, text, without));
    });
  }

  /** Closes the connection. Idempotent. */
  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  /** Looks at some hundreds of keys. In a Redis Cluster, at those of one node. */
  async #eachListOf(
    userId: UserId,
    cursor: string | null,
    visit: (key: string, text: string, members: readonly UserId[]) => Promise<void>,
  ): Promise<ListsPart> {
    const { node, next, keys } = await this.#scan(cursor);
    let lists = 0;
    for (const key of keys) {
      const text = await this.#demand(() => this.#redis.get(key));
      const members = text === null ? null : readMembers(text);
      if (text === null || members === null || !members.includes(userId)) continue;
      await visit(key, text, members);
      lists += 1;
    }
    if (next !== '0') return { lists, next: `${node}:${next}` };
    return { lists, next: node + 1 < this.#nodes().length ? `${node + 1}:0` : null };
  }

  #nodes(): Redis[] {
    return this.#redis instanceof Cluster ? this.#redis.nodes('master') : [this.#redis];
  }

  /** Names some keys of member lists of one node. */
  async #scan(cursor: string | null): Promise<{ node: number; next: string; keys: string[] }> {
    const [number = '0', at = '0'] = (cursor ?? '0:0').split(':');
    const node = Number(number);
    const redis = this.#nodes()[node];
    if (redis === undefined) throw new Refusal('try-again', 'the nodes of Redis have changed');
    const [next, found] = await this.#demand(() => redis.scan(at, 'COUNT', SCANNED_KEYS));
    const own = found.filter((key) => key.startsWith(this.#prefix)).map((key) => key.slice(this.#prefix.length));
    return { node, next, keys: own.filter((key) => LIST_KEY.test(key)) };
  }

  /** @throws Refusal `try-again` if Redis does not answer or refuses the command */
  async #demand<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      throw new Refusal('try-again', `Redis: ${textOf(error)}`);
    }
  }

  /** Resolves to the script's answer; null if there is none, so that the list is outdated. */
  async #replace(script: string, place: MemberListKey, members: readonly UserId[]): Promise<unknown> {
    const key = redisKey(place);
    const value = JSON.stringify({ members });
    const times = [this.#ttlSeconds, this.#reportStandsMs];
    const answer = await this.#send(() => this.#redis.eval(script, 2, key, `{${key}}:put`, value, ...times));
    this.#replacedAt.set(key, performance.now());
    if (answer === null) {
      this.#outdated.set(key, true);
      // A Redis without free memory refuses the new list, but removes the old one.
      await this.#remove(key);
    } else this.#outdated.delete(key);
    return answer;
  }

  /**
   * After a new connection, the server may be a former replica that lacks the last writes. Lists
   * that were replaced less than a minute ago are removed, so that nobody reads their old members.
   */
  #distrustRecent(): void {
    const now = performance.now();
    for (const [key, at] of this.#replacedAt) {
      if (now - at < REPLICATION_MS) this.#outdated.set(key, true);
      else this.#replacedAt.delete(key);
    }
  }

  async #removeOutdated(): Promise<void> {
    for (const [key] of this.#outdated) if (!(await this.#remove(key))) return;
  }

  /** Resolves with false if Redis did not remove the list. Then it stays outdated. */
  async #remove(key: string): Promise<boolean> {
    if ((await this.#send(() => this.#redis.del(key))) === null) return false;
    this.#outdated.delete(key);
    return true;
  }

  /** Resolves to the answer; null if there is none. */
  async #send<T>(command: () => Promise<T>): Promise<T | null> {
    if (this.#redis.status !== 'ready' || performance.now() < this.#pausedUntil) return null;
    try {
      const answer = await command();
      if (!this.#isUp) this.#setUp();
      return answer;
    } catch (error) {
      // Redis is up but refuses the command: no memory, a missing right, a key of another type.
      if (error instanceof ReplyError) {
        this.#reportRefusal(textOf(error));
        return null;
      }
      this.#pausedUntil = performance.now() + this.#pauseMs;
      this.#setDown(textOf(error));
      return null;
    }
  }

  #reportRefusal(error: string): void {
    const now = performance.now();
    if (now < this.#refusalReportedAt + REFUSAL_INTERVAL_MS) return;
    this.#refusalReportedAt = now;
    this.#onRefused(error);
  }

  #setUp(): void {
    if (!this.#isUp) this.#onUp();
    this.#isUp = true;
    void this.#removeOutdated();
  }

  #setDown(error: string): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#onDown(error);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Reads a value in Redis. Ids may be numbers or decimal texts. Null for a value of any other form,
 * which counts as missing.
 */
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

/**
 * The key of a list in Redis: `R5` for a room, `CH1` for a community. The neighbour services use
 * the same keys.
 */
function redisKey(place: MemberListKey): string {
  return isRoom(place) ? `R${idOf(place)}` : `CH${idOf(place)}`;
}
