import { LRUCache } from 'lru-cache';
import { BoundedMap } from '../../application/bounded-map.ts';
import { type ListsPart, type MemberCache, REPORT_STANDS_MS } from '../../application/ports/member-cache.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MemberListKey } from '../../domain/place.ts';

export interface MemoryMemberCacheOptions {
  /** Ids in all lists together; the least recently used lists are dropped. Default: 2,000,000. */
  readonly maxIds?: number;
  /** Lifetime of a list, in milliseconds. Default: 14 days. */
  readonly ttlMs?: number;
  /**
   * Time for which `mend` does not replace a list that was put, in milliseconds. Default: 10
   * seconds.
   */
  readonly reportStandsMs?: number;
  /** Milliseconds of a clock that never goes back. Default: the process's own. */
  readonly now?: () => number;
}

const FOURTEEN_DAYS_MS = 14 * 24 * 60 * 60 * 1000;
/** The memory of a list without its ids, expressed as a number of ids. So empty lists count too. */
const IDS_PER_LIST = 8;
/** Times of puts that are remembered. Only those of the last seconds matter. */
const MAX_PUT_TIMES = 50_000;

/** Keeps member lists in the memory of one server. */
export class MemoryMemberCache implements MemberCache {
  readonly isShared = false;
  readonly #lists: LRUCache<MemberListKey, readonly UserId[]>;
  /** The times of the lists that were put. */
  readonly #putAt = new BoundedMap<MemberListKey, number>(MAX_PUT_TIMES);
  readonly #reportStandsMs: number;
  readonly #now: () => number;

  constructor(options: MemoryMemberCacheOptions = {}) {
    this.#lists = new LRUCache({
      maxSize: options.maxIds ?? 2_000_000,
      sizeCalculation: (members) => members.length + IDS_PER_LIST,
      ttl: options.ttlMs ?? FOURTEEN_DAYS_MS,
    });
    this.#reportStandsMs = options.reportStandsMs ?? REPORT_STANDS_MS;
    this.#now = options.now ?? (() => performance.now());
  }

  async get(place: MemberListKey): Promise<readonly UserId[] | null> {
    return this.#lists.get(place) ?? null;
  }

  async put(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    this.#putAt.set(place, this.#now());
    this.#lists.set(place, [...members]);
  }

  async add(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    if (!this.#lists.has(place)) this.#lists.set(place, [...members]);
  }

  async mend(place: MemberListKey, members: readonly UserId[]): Promise<readonly UserId[] | null> {
    const putAt = this.#putAt.get(place);
    if (putAt !== undefined && this.#now() - putAt < this.#reportStandsMs) {
      const standing = this.#lists.get(place);
      if (standing !== undefined) return standing;
    }
    this.#lists.set(place, [...members]);
    return null;
  }

  async listsOf(userId: UserId): Promise<ListsPart> {
    return { lists: [...this.#lists.values()].filter((members) => members.includes(userId)).length, next: null };
  }

  async forget(userId: UserId): Promise<ListsPart> {
    let lists = 0;
    for (const [place, members] of [...this.#lists.entries()]) {
      if (!members.includes(userId)) continue;
      lists += 1;
      const ttl = this.#lists.getRemainingTTL(place);
      this.#lists.set(
        place,
        members.filter((member) => member !== userId),
        { ttl },
      );
    }
    return { lists, next: null };
  }
}
