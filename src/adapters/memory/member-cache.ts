import { LRUCache } from 'lru-cache';
import type { MemberCache } from '../../application/ports/member-cache.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MemberListKey } from '../../domain/place.ts';

export interface MemoryMemberCacheOptions {
  /** Ids in all lists together; the least recently used lists are dropped. Default: 2,000,000. */
  readonly maxIds?: number;
  /** Lifetime of a list, in milliseconds. Default: 14 days. */
  readonly ttlMs?: number;
}

const FOURTEEN_DAYS_MS = 14 * 24 * 60 * 60 * 1000;
/** The memory of a list beside its ids, counted as ids, so that empty lists count too. */
const IDS_PER_LIST = 8;

/** Keeps member lists in the memory of one server. */
export class MemoryMemberCache implements MemberCache {
  readonly #lists: LRUCache<MemberListKey, readonly UserId[]>;

  constructor(options: MemoryMemberCacheOptions = {}) {
    this.#lists = new LRUCache({
      maxSize: options.maxIds ?? 2_000_000,
      sizeCalculation: (members) => members.length + IDS_PER_LIST,
      ttl: options.ttlMs ?? FOURTEEN_DAYS_MS,
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
