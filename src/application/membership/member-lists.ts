import type { CommunityId, UserId } from '../../domain/ids.ts';
import { idOf, isCommunity, isRoom, type MemberListKey } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { MemberCache } from '../ports/member-cache.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { notMember } from './not-member.ts';

/** The members of one room or community. */
export interface MemberList {
  readonly members: ReadonlySet<UserId>;
  /** The community service sent this list by a PUT call. It counts more than the directory's. */
  readonly isReported: boolean;
  /** When the list was last read or the last attempt to read it ended, by the monotonic clock. */
  readAt: number;
  refreshing: Promise<void> | null;
}

export interface MemberListsParts {
  readonly directory: RoomDirectory;
  readonly cache: MemberCache;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly subscribers: LocalSubscribers;
}

/** A list is read again when it is older than this. Until then, changes come over the bus. */
const FRESH_MS = 60_000;
const MAX_LISTS = 100_000;

/**
 * The member lists of rooms and communities. A list is kept in this process, then in the cache that
 * all servers share, and comes from the directory. A reported list is replaced only by the shared
 * cache or by a newer report: the directory may still answer with the previous members. Whenever a
 * list changes, the subscriptions of users who are not in it end.
 */
export class MemberLists {
  readonly #parts: MemberListsParts;
  readonly #lists = new BoundedMap<MemberListKey, MemberList>(MAX_LISTS);
  readonly #loading = new Map<MemberListKey, Promise<MemberList>>();
  readonly #communityListeners: ((id: CommunityId) => void)[] = [];

  constructor(parts: MemberListsParts) {
    this.#parts = parts;
  }

  /** Calls `listener` after each change of a community's list. */
  onCommunityChange(listener: (id: CommunityId) => void): void {
    this.#communityListeners.push(listener);
  }

  /**
   * The list, at once where this server knows it. An old list is returned as well, and read again
   * in the background.
   * @throws Refusal `not-permitted` if there is no such room or community, `try-again` if the
   * directory cannot be reached
   */
  get(place: MemberListKey): MaybePromise<MemberList> {
    const list = this.#lists.get(place);
    if (list === undefined) return this.#load(place);
    this.#refreshIfOld(place, list);
    return list;
  }

  /** The list that this server knows. Asks nobody. */
  peek(place: MemberListKey): MemberList | undefined {
    return this.#lists.get(place);
  }

  /** Reads a list again if this server knows it and it is old. */
  refresh(place: MemberListKey): void {
    const list = this.#lists.get(place);
    if (list !== undefined) this.#refreshIfOld(place, list);
  }

  /**
   * Applies a list that the community service reported to this server, and keeps it for all
   * servers. Sends nothing to the others.
   */
  async replace(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    this.apply(place, members);
    await this.#parts.cache.put(place, members);
  }

  /** Applies a list that the community service reported to this server or another one. */
  apply(place: MemberListKey, members: readonly UserId[]): void {
    this.#change(place, members, true);
  }

  #change(place: MemberListKey, ids: readonly UserId[], isReported: boolean): void {
    const { members } = this.#keep(place, ids, isReported);
    this.#parts.subscribers.remove(place, (user) => !members.has(user));
    if (isCommunity(place)) for (const listener of this.#communityListeners) listener(idOf(place));
  }

  #load(place: MemberListKey): Promise<MemberList> {
    let loading = this.#loading.get(place);
    if (loading === undefined) {
      loading = this.#read(place)
        // A list that was reported in the meantime is newer than this answer.
        .then((members) => this.#lists.get(place) ?? this.#keep(place, members, false))
        .finally(() => this.#loading.delete(place));
      this.#loading.set(place, loading);
    }
    return loading;
  }

  async #read(place: MemberListKey): Promise<readonly UserId[]> {
    const { cache, directory } = this.#parts;
    const cached = await cache.get(place);
    if (cached !== null) return cached;
    const id = idOf(place);
    const members = await (isRoom(place) ? directory.roomMembers(id) : directory.communityMembers(id));
    if (members === null) throw notMember(place);
    // `add` does not overwrite a list that was reported in the meantime.
    void cache.add(place, members);
    return members;
  }

  #refreshIfOld(place: MemberListKey, list: MemberList): void {
    const { clock, telemetry } = this.#parts;
    if (clock.monotonic() - list.readAt <= FRESH_MS) return;
    list.refreshing ??= this.#readAgain(place, list)
      .catch((error: unknown) => telemetry.log('debug', 'members not refreshed', { place, error }))
      .finally(() => {
        list.readAt = clock.monotonic();
        list.refreshing = null;
      });
  }

  async #readAgain(place: MemberListKey, list: MemberList): Promise<void> {
    const members = list.isReported ? await this.#parts.cache.get(place) : await this.#read(place);
    if (members === null || this.#lists.get(place) !== list) return;
    this.#change(place, members, list.isReported);
  }

  #keep(place: MemberListKey, members: readonly UserId[], isReported: boolean): MemberList {
    const list: MemberList = {
      members: new Set(members),
      isReported,
      readAt: this.#parts.clock.monotonic(),
      refreshing: null,
    };
    this.#lists.set(place, list);
    return list;
  }
}
