import { LRUCache } from 'lru-cache';
import type { MemberCache } from '../../application/ports/member-cache.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MemberListKey } from '../../domain/place.ts';

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
  readonly #lists: LRUCache<MemberListKey, readonly UserId[]>;

  constructor(options: MemoryMemberCacheOptions = {}) {
    this.#lists = new LRUCache({
      maxSize: options.maxIds ?? 2_000_000,
      sizeCalculation: (members) => members.length + LIST,
      ttl: options.ttlMs ?? FOURTEEN_DAYS,
    });
  }

  async get(place: MemberListKey): Promise<readonly UserId[] | null> {
    return this.#lists.get(place) ?? null;
  }

  async put(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    this.#lists.set(place, [...members]);
  }

  async add(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    if (!this.#lists.has(place)) this.#lists.set(place, [...members]);
  }
}
