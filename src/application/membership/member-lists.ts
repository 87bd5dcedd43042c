import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { idOf, isRoom, type MemberListKey } from '../../domain/place.ts';
import type { MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { MemberCache } from '../ports/member-cache.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Members of one room or community. */
export interface MemberList {
  readonly members: ReadonlySet<UserId>;
  /** A service told it: it counts more than what the directory says. */
  readonly told: boolean;
  /** When it was heard. */
  at: number;
  refreshing: Promise<void> | null;
}

/** A list is believed for so long before the shared cache is asked again; meanwhile changes are told over the bus. */
const FRESH_MS = 60_000;
const MOST_LISTS = 100_000;

/**
 * The lists of rooms and communities: kept in this process, in the cache that all servers share, and by the directory in the first place. Where a list was told, only
 * the shared cache knows better: the directory may still answer what was true before.
 */
export class MemberLists {
  readonly #directory: RoomDirectory;
  readonly #cache: MemberCache;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  /** A list turned out to be another than before. */
  readonly #changed: (key: MemberListKey) => void;
  readonly #lists = new Map<MemberListKey, MemberList>();
  readonly #loading = new Map<MemberListKey, Promise<MemberList>>();

  constructor(parts: {
    directory: RoomDirectory;
    cache: MemberCache;
    clock: Clock;
    telemetry: Telemetry;
    changed: (key: MemberListKey) => void;
  }) {
    this.#directory = parts.directory;
    this.#cache = parts.cache;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#changed = parts.changed;
  }

  /** At once where it is known; an old one is read anew behind the caller's back. @throws Refusal `not-permitted`, `try-again` */
  get(key: MemberListKey): MaybePromise<MemberList> {
    const list = this.#lists.get(key);
    if (list === undefined) return this.#load(key);
    this.#refreshOld(key, list);
    return list;
  }

  /** What is known without asking anybody. */
  peek(key: MemberListKey): MemberList | undefined {
    return this.#lists.get(key);
  }

  /** A service told it, to this server or another. */
  tell(key: MemberListKey, members: readonly UserId[]): void {
    this.#keep(key, new Set(members), true);
    this.#changed(key);
  }

  /** Reads a list anew that is known and old. */
  touch(key: MemberListKey): void {
    const list = this.#lists.get(key);
    if (list !== undefined) this.#refreshOld(key, list);
  }

  #load(key: MemberListKey): Promise<MemberList> {
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(key)
        // What was told while we asked counts more.
        .then((members) => this.#lists.get(key) ?? this.#keep(key, members, false))
        .finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #read(key: MemberListKey): Promise<ReadonlySet<UserId>> {
    const cached = await this.#cache.get(key);
    if (cached !== null) return new Set(cached);
    const id = idOf(key);
    const members = await (isRoom(key) ? this.#directory.roomMembers(id) : this.#directory.communityMembers(id));
    if (members === null) throw new Refusal('not-permitted', 'you are not a member there');
    // Never over a list that was told meanwhile.
    void this.#cache.add(key, members);
    return new Set(members);
  }

  #refreshOld(key: MemberListKey, list: MemberList): void {
    if (this.#clock.now() - list.at <= FRESH_MS) return;
    list.refreshing ??= this.#refresh(key, list)
      .catch((error: unknown) => this.#telemetry.log('debug', 'members not refreshed', { key, reason: String(error) }))
      .finally(() => {
        list.at = this.#clock.now();
        list.refreshing = null;
      });
  }

  async #refresh(key: MemberListKey, list: MemberList): Promise<void> {
    const cached = list.told ? await this.#cache.get(key) : null;
    const members = cached === null && !list.told ? await this.#read(key) : cached;
    if (members === null || this.#lists.get(key) !== list) return;
    this.#keep(key, new Set(members), list.told);
    this.#changed(key);
  }

  #keep(key: MemberListKey, members: ReadonlySet<UserId>, told: boolean): MemberList {
    const list: MemberList = { members, told, at: this.#clock.now(), refreshing: null };
    this.#lists.delete(key);
    this.#lists.set(key, list);
    if (this.#lists.size > MOST_LISTS) {
      const oldest = this.#lists.keys().next().value;
      if (oldest !== undefined) this.#lists.delete(oldest);
    }
    return list;
  }
}
