import { isTryAgain, Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { idOf, isRoom, type MemberListKey } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import { type MemberCache, REPORT_STANDS_MS } from '../ports/member-cache.ts';
import type { Random } from '../ports/random.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { LookUpLimits } from './look-up-limits.ts';
import { notMember } from './not-member.ts';
import { PacedQueue } from './paced-queue.ts';
import { SharedReads } from './shared-reads.ts';

/** The members of one room or community. Times are of the monotonic clock. */
export interface MemberList {
  readonly members: ReadonlySet<UserId>;
  /** When the community service reported this list by a PUT call; null if it did not. */
  readonly reportedAt: number | null;
  /** True if the directory knows no such place. */
  readonly isAbsent: boolean;
  /**
   * When the question began that the directory answered with this list; null if the list is not
   * from the directory.
   */
  askedAt: number | null;
  /** When the list is to be read from the directory again. */
  dueAt: number;
  /**
   * Time of the first answer of the directory that there is no such place, since its last answer
   * with a list. Null if there was none.
   */
  missingSince: number | null;
}

export interface MemberListsParts {
  readonly directory: RoomDirectory;
  readonly cache: MemberCache;
  readonly limits: LookUpLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly subscribers: LocalSubscribers;
  /**
   * A list with subscribers is read from the directory again before its last answer is older than
   * this.
   */
  readonly stalenessSeconds: number;
}

const MAX_LISTS = 100_000;
/** A report that adds more users than this is that of a list that was not known here. */
const MAX_ADDED = 1_000;
/** An absent place is asked for again after this time. */
const ABSENT_MS = 2_000;
/**
 * An answer that took longer than this is dropped: a report may have come and passed meanwhile.
 */
const MAX_ANSWER_MS = 5_000;
/**
 * Background reads that may begin in a second. With more lists: as many as it takes to read all of
 * them within a quarter of the allowed staleness.
 */
const MIN_READS_PER_SECOND = 20;
const READS_SHARE = 1 / 4;
/**
 * Times until a list is read again, as shares of the allowed staleness. Together with the wait for
 * a background read they stay below 1.
 */
const DUE_SHARE = { base: 0.4, jitter: 0.2 };
/** A list of the shared cache may be days old. It is read soon after its first use. */
const CACHED_DUE_SHARE = { base: 0, jitter: 0.125 };
const RETRY_SHARE = { base: 0.05, jitter: 0.03 };
/**
 * The members of a place are removed when the directory has answered for this share of the
 * staleness that there is no such place.
 */
const MISSING_SHARE = 0.04;

/**
 * The member lists of rooms and communities. A list is kept in this process, then in the cache that
 * all servers share, and comes from the directory.
 *
 * A list corrects itself. A user who is not in it is looked up in the directory before they are
 * refused. A list that is in use is read from the directory from time to time, whether a change was
 * reported or not. An answer replaces the list here and in the shared cache. A report of the
 * community service that is less than 10 seconds old wins over the directory, which may still
 * answer with the previous members. Whenever a list changes, the subscriptions of users who are not
 * in it end.
 */
export class MemberLists {
  readonly #parts: MemberListsParts;
  readonly #stalenessMs: number;
  readonly #lists = new BoundedMap<MemberListKey, MemberList>(MAX_LISTS);
  readonly #loading = new Map<MemberListKey, Promise<MemberList>>();
  readonly #reads: SharedReads<MemberListKey>;
  readonly #queue: PacedQueue<MemberListKey>;
  readonly #listeners: ((place: MemberListKey, members: ReadonlySet<UserId>) => void)[] = [];
  /** The places whose current list was reported. */
  readonly #reported = new Set<MemberListKey>();

  constructor(parts: MemberListsParts) {
    this.#parts = parts;
    this.#stalenessMs = parts.stalenessSeconds * 1000;
    this.#reads = new SharedReads({ clock: parts.clock, read: (place, isLookUp) => this.#readAnew(place, isLookUp) });
    this.#queue = new PacedQueue({
      clock: parts.clock,
      run: (place) => this.#readInBackground(place),
      perSecond: () => Math.max(MIN_READS_PER_SECOND, this.#lists.size / (parts.stalenessSeconds * READS_SHARE)),
    });
  }

  /** Calls `listener` after each change of a list. */
  onChange(listener: (place: MemberListKey, members: ReadonlySet<UserId>) => void): void {
    this.#listeners.push(listener);
  }

  /** The lists that were reported and that the directory has not replaced since. */
  *reported(): Iterable<[MemberListKey, MemberList]> {
    for (const place of this.#reported) {
      const list = this.#lists.get(place);
      if (list !== undefined) yield [place, list];
    }
  }

  /**
   * The list, at once where this server knows it. An old list is returned as well, and read again
   * in the background.
   * @throws Refusal `not-permitted` if there is no such room or community, `try-again` if the
   * directory cannot be reached
   */
  get(place: MemberListKey): MaybePromise<MemberList> {
    const list = this.#lists.get(place);
    if (list === undefined || list.isAbsent) return this.#getExisting(place, list);
    this.#refreshIfDue(place, list);
    return list;
  }

  /**
   * Resolves, at once where the list is known, if the user is in it. A user who is not in a known
   * list is looked up in the directory.
   * @throws Refusal `not-permitted`; `try-again` if no list is known and the directory cannot be
   * reached
   */
  require(userId: UserId, place: MemberListKey): MaybePromise<void> {
    const list = this.#lists.get(place);
    if (list !== undefined) {
      this.#refreshIfDue(place, list);
      if (list.members.has(userId)) return;
      if (this.#isJustReported(list)) throw notMember(place);
    }
    return this.#requireByLookUp(userId, place);
  }

  /** The list that this server knows. Asks nobody. */
  peek(place: MemberListKey): MemberList | undefined {
    return this.#lists.get(place);
  }

  /** Reads the list of a place with subscribers again, in the background, if it is due. */
  refresh(place: MemberListKey): void {
    const list = this.#lists.get(place);
    if (list === undefined) this.#queue.add(place);
    else this.#refreshIfDue(place, list);
  }

  /**
   * Reads a known list again for a user who is not in it, unless it has just been reported.
   * @throws Refusal `try-again` if the directory cannot be reached or too many look-ups have failed
   */
  async lookUp(place: MemberListKey): Promise<void> {
    const list = this.#lists.get(place);
    if (list === undefined || !this.#isJustReported(list)) await this.#reads.read(place, true);
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
    const { limits } = this.#parts;
    const known = this.#lists.get(place)?.members;
    const added = known === undefined ? members : members.filter((user) => !known.has(user));
    if (added.length <= MAX_ADDED) for (const user of added) limits.added(user);
    this.#change(place, members, { reportedAt: this.#parts.clock.monotonic() });
  }

  /** Takes a user who is erased out of the known lists, and ends their subscriptions. */
  forget(userId: UserId): void {
    for (const [place, { members, reportedAt, askedAt, isAbsent, missingSince }] of [...this.#lists]) {
      if (!members.has(userId)) continue;
      const others = [...members].filter((user) => user !== userId);
      this.#change(place, others, { reportedAt, askedAt, isAbsent, missingSince });
    }
  }

  /** Begins no further background read. */
  stop(): void {
    this.#queue.stop();
  }

  async #getExisting(place: MemberListKey, known: MemberList | undefined): Promise<MemberList> {
    const isRecent = known !== undefined && this.#parts.clock.monotonic() - (known.askedAt ?? 0) < ABSENT_MS;
    if (known !== undefined && !isRecent) await this.#reads.read(place, false);
    const list = this.#lists.get(place) ?? (await this.#load(place, false));
    if (list.isAbsent) throw notMember(place);
    return list;
  }

  async #requireByLookUp(userId: UserId, place: MemberListKey): Promise<void> {
    const isKnown = this.#lists.has(place);
    try {
      const result = await this.#parts.limits.lookUp(userId, place, isKnown, () => this.#find(userId, place, isKnown));
      if (result === 'found') return;
      if (result === 'limited' && !this.#lists.has(place)) {
        throw new Refusal('try-again', 'you asked for too many places that are not yours; try again later');
      }
    } catch (error) {
      // While the directory cannot be reached, the known list decides.
      if (!this.#lists.has(place) || !isTryAgain(error)) throw error;
    }
    throw notMember(place);
  }

  async #find(userId: UserId, place: MemberListKey, isKnown: boolean): Promise<boolean> {
    if (!isKnown) {
      const list = await this.#load(place, true);
      if (list.members.has(userId)) return true;
      if (list.askedAt !== null) return false;
    }
    await this.lookUp(place);
    return this.#lists.get(place)?.members.has(userId) === true;
  }

  #load(place: MemberListKey, isLookUp: boolean): Promise<MemberList> {
    let loading = this.#loading.get(place);
    if (loading === undefined) {
      loading = this.#readFirst(place, isLookUp).finally(() => this.#loading.delete(place));
      this.#loading.set(place, loading);
    }
    return loading;
  }

  async #readFirst(place: MemberListKey, isLookUp: boolean): Promise<MemberList> {
    const { cache, limits } = this.#parts;
    const cached = await cache.get(place);
    if (cached !== null) return this.#lists.get(place) ?? this.#keep(place, cached, {});
    if (!isLookUp) return this.#askFirst(place);
    let list: MemberList | null = null;
    await limits.question(null, async () => {
      list = await this.#askFirst(place);
      return !list.isAbsent;
    });
    return list ?? this.#askFirst(place);
  }

  async #askFirst(place: MemberListKey): Promise<MemberList> {
    const askedAt = this.#parts.clock.monotonic();
    const members = await this.#ask(place);
    // A list that was reported in the meantime is newer than this answer.
    const known = this.#lists.get(place);
    if (known !== undefined) return known;
    // `add` does not overwrite a list that was reported to another server in the meantime.
    if (members !== null) void this.#parts.cache.add(place, members);
    return this.#keep(place, members ?? [], { askedAt, isAbsent: members === null });
  }

  #ask(place: MemberListKey): Promise<readonly UserId[] | null> {
    const { directory } = this.#parts;
    const id = idOf(place);
    return isRoom(place) ? directory.roomMembers(id) : directory.communityMembers(id);
  }

  #refreshIfDue(place: MemberListKey, list: MemberList): void {
    if (this.#parts.clock.monotonic() < list.dueAt) return;
    this.#queue.add(place);
  }

  async #readInBackground(place: MemberListKey): Promise<void> {
    const { clock, telemetry } = this.#parts;
    try {
      await this.#reads.read(place, false);
    } catch (error) {
      telemetry.log('debug', 'members not refreshed', { place, error });
    }
    const list = this.#lists.get(place);
    if (list !== undefined && list.dueAt <= clock.monotonic()) list.dueAt = this.#after(RETRY_SHARE);
  }

  async #readAnew(place: MemberListKey, isLookUp: boolean): Promise<void> {
    if (isLookUp) await this.#parts.limits.question(null, () => this.#mend(place));
    else await this.#mend(place);
  }

  /** Takes the directory's answer as the list. Resolves to true if that changed the list. */
  async #mend(place: MemberListKey): Promise<boolean> {
    const { cache, clock, telemetry } = this.#parts;
    const askedAt = clock.monotonic();
    const members = await this.#ask(place);
    if (clock.monotonic() - askedAt > MAX_ANSWER_MS || this.#isReportedNow(place)) return false;
    if (members === null && !this.#isGone(place, askedAt)) return false;
    const standing = await cache.mend(place, members ?? []);
    if (this.#isReportedNow(place)) return false;
    const known = this.#lists.get(place);
    const next = standing ?? members ?? [];
    if (standing === null && known !== undefined && known.isAbsent === (members === null) && isSame(known, next)) {
      this.#confirm(place, known, askedAt);
      return false;
    }
    if (known !== undefined) telemetry.count('member_lists_mended');
    telemetry.log('debug', 'members mended', { place, before: known?.members.size ?? null, after: next.length });
    // A report to another server put the list that stands into the cache, and the report did not
    // arrive here.
    if (standing !== null) this.#change(place, next, { reportedAt: clock.monotonic() });
    else this.#change(place, next, { askedAt, isAbsent: members === null });
    return true;
  }

  /**
   * The directory answered that there is no such place. True if the list of its members is to be
   * dropped. A wrong answer of a proxy must not remove everybody, so the first one only makes the
   * list due.
   */
  #isGone(place: MemberListKey, askedAt: number): boolean {
    const list = this.#lists.get(place);
    if (list === undefined) {
      this.#change(place, [], { askedAt, isAbsent: true });
      return false;
    }
    if (list.isAbsent) {
      this.#confirm(place, list, askedAt);
      return false;
    }
    list.missingSince ??= askedAt;
    if (askedAt - list.missingSince >= this.#stalenessMs * MISSING_SHARE) return true;
    list.dueAt = Math.min(list.dueAt, this.#after(RETRY_SHARE));
    return false;
  }

  /** Notes that the directory answered with the known list. */
  #confirm(place: MemberListKey, list: MemberList, askedAt: number): void {
    list.askedAt = askedAt;
    list.dueAt = this.#after(DUE_SHARE);
    list.missingSince = null;
    // Lists in use stay; the others are dropped first.
    this.#lists.set(place, list);
  }

  #change(place: MemberListKey, ids: readonly UserId[], facts: Partial<MemberList>): void {
    const { members } = this.#keep(place, ids, facts);
    this.#parts.subscribers.remove(place, (user) => !members.has(user));
    for (const listener of this.#listeners) listener(place, members);
  }

  #keep(place: MemberListKey, members: readonly UserId[], facts: Partial<MemberList>): MemberList {
    const isCached = facts.askedAt === undefined && facts.reportedAt === undefined;
    const list: MemberList = {
      members: new Set(members),
      reportedAt: null,
      isAbsent: false,
      askedAt: null,
      dueAt: this.#after(isCached ? CACHED_DUE_SHARE : DUE_SHARE),
      missingSince: null,
      ...facts,
    };
    const dropped = this.#lists.set(place, list);
    if (dropped !== undefined) this.#reported.delete(dropped);
    if (list.reportedAt === null) this.#reported.delete(place);
    else this.#reported.add(place);
    return list;
  }

  #after({ base, jitter }: { readonly base: number; readonly jitter: number }): number {
    const { clock, random } = this.#parts;
    return clock.monotonic() + this.#stalenessMs * (base + jitter * random());
  }

  #isReportedNow(place: MemberListKey): boolean {
    const list = this.#lists.get(place);
    return list !== undefined && this.#isJustReported(list);
  }

  #isJustReported({ reportedAt }: MemberList): boolean {
    return reportedAt !== null && this.#parts.clock.monotonic() - reportedAt < REPORT_STANDS_MS;
  }
}

function isSame({ members }: MemberList, ids: readonly UserId[]): boolean {
  return members.size === ids.length && ids.every((id) => members.has(id));
}
