import { LRUCache } from 'lru-cache';
import type { MemberCache, MemberCacheKey } from '../../application/ports/member-cache.ts';
import type { UserId } from '../../domain/ids.ts';

export interface MemoryMemberCacheOptions {
  /** Ids held in all lists together, at most; the lists used longest ago go first. Default 2,000,000. */
  readonly maxIds?: number;
  /** Default 14 days (ms). */
  readonly ttlMs?: number;
}

const FOURTEEN_DAYS = 14 * 24 * 60 * 60 * 1000;
/** What a list costs beside its ids, in ids: empty ones must count too. */
const LIST = 8;

/** The member cache of one server alone. */
export class MemoryMemberCache implements MemberCache {
  readonly #lists: LRUCache<MemberCacheKey, readonly UserId[]>;

  constructor(options: MemoryMemberCacheOptions = {}) {
    this.#lists = new LRUCache({
      maxSize: options.maxIds ?? 2_000_000,
      sizeCalculation: (members) => members.length + LIST,
      ttl: options.ttlMs ?? FOURTEEN_DAYS,
    });
  }

  async get(key: MemberCacheKey): Promise<readonly UserId[] | null> {
    return this.#lists.get(key) ?? null;
  }

  async put(key: MemberCacheKey, members: readonly UserId[]): Promise<void> {
    this.#lists.set(key, [...members]);
  }

  async add(key: MemberCacheKey, members: readonly UserId[]): Promise<void> {
    if (!this.#lists.has(key)) this.#lists.set(key, [...members]);
  }

  async remove(key: MemberCacheKey): Promise<void> {
    this.#lists.delete(key);
  }
}
