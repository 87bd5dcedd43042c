import { isTryAgain, Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import { type ChannelKey, channelKey, communityKey, idOf, isCommunity } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { Caller, MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import { REPORT_STANDS_MS } from '../ports/member-cache.ts';
import type { Random } from '../ports/random.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ChannelHome } from './channel-home.ts';
import { HomeFinder } from './home-finder.ts';
import type { LookUpLimits } from './look-up-limits.ts';
import type { MemberList, MemberLists } from './member-lists.ts';
import { PacedQueue } from './paced-queue.ts';

/** A channel as the directory described it. Times are of the monotonic clock. */
export interface Channel {
  readonly id: ChannelId;
  members: ReadonlySet<UserId>;
  /** True if the whole community may read it. */
  readonly isPublic: boolean;
  readonly name: string | null;
  readonly home: ChannelHome;
  readonly readAt: number;
  /** When it is to be read again if it has subscribers. */
  readonly dueAt: number;
}

export interface ChannelAccessParts {
  readonly directory: RoomDirectory;
  readonly lists: MemberLists;
  readonly limits: LookUpLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly subscribers: LocalSubscribers;
  /** A channel that is older than this is read again before it is used. */
  readonly stalenessSeconds: number;
  /** A channel with subscribers is never older than this, however long it may be used. */
  readonly listStalenessSeconds: number;
}

/** Subscribers whose tokens are tried to read a channel again. */
const MAX_TOKENS_TRIED = 20;
/** Age at which a channel with subscribers is read again, as a share of the allowed staleness. */
const DUE_SHARE = { base: 0.5, jitter: 0.2 };
/**
 * Background reads that may begin in a second. With more channels: as many as it takes to read all
 * of them within this share of the staleness.
 */
const MIN_READS_PER_SECOND = 50;
const READS_SHARE = 0.15;
/** Ids of channels that do not exist, as far as the directory said. */
const MAX_ABSENT = 10_000;

/**
 * The members of channels. The directory answers about a channel only in a user's name, with the
 * user's token, so the lists are not shared between servers. Nobody reports a change of a channel's
 * list: it is read again when it is stale, and for a user who is not in it. Subscriptions of users
 * who are not in a channel any more end when a new list is read, and when the list of its community
 * changes. A user whom a report adds to a community is in its public channels at once.
 */
export class ChannelAccess {
  /** A channel up to this age, in milliseconds, is used without asking the directory. */
  readonly stalenessMs: number;
  readonly #parts: ChannelAccessParts;
  readonly #homes: HomeFinder;
  readonly #channels = new Map<ChannelId, Channel>();
  readonly #listeners: ((channel: Channel, isNew: boolean) => void)[] = [];
  readonly #absent = new BoundedMap<ChannelId, true>(MAX_ABSENT);
  /** Questions to the directory that are under way, by channel and user. */
  readonly #reading = new Map<string, Promise<Channel | null>>();
  readonly #queue: PacedQueue<ChannelKey>;

  constructor(parts: ChannelAccessParts) {
    this.#parts = parts;
    this.stalenessMs = parts.stalenessSeconds * 1000;
    this.#homes = new HomeFinder(parts);
    this.#queue = new PacedQueue({
      clock: parts.clock,
      run: (place) => this.#readAsSubscriber(place),
      perSecond: () => Math.max(MIN_READS_PER_SECOND, this.#channels.size / (parts.stalenessSeconds * READS_SHARE)),
    });
    parts.lists.onChange((place) => {
      if (isCommunity(place)) this.#endRemovedOfCommunity(idOf(place));
    });
  }

  /**
   * The channel; null if there is none with this id. It is returned at once if it is recent enough
   * and contains the caller, otherwise it is read in the caller's name. While the directory cannot
   * be reached, and for a caller who was looked up too often, the last known channel is returned.
   * @throws Refusal `not-permitted` if the caller may not read it, `try-again` if it is not known
   * and the directory cannot be asked
   */
  get(caller: Caller, id: ChannelId): MaybePromise<Channel | null> {
    const known = this.#channels.get(id);
    if (known === undefined || !this.contains(known, caller.userId)) return this.#lookUp(caller, id, known);
    if (this.#parts.clock.monotonic() - known.readAt < this.stalenessMs) return known;
    return this.#readOrKnown(id, caller, known);
  }

  /**
   * Calls `listener` after each time that a channel was read. `isNew`: this server did not know it
   * before.
   */
  onRead(listener: (channel: Channel, isNew: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** The channels that this server knows. */
  known(): Iterable<Channel> {
    return this.#channels.values();
  }

  /** The channel that this server knows. Asks nobody. */
  peek(id: ChannelId): Channel | undefined {
    return this.#channels.get(id);
  }

  /**
   * True if the user is in the channel's list and, as far as this server knows, in its community.
   */
  contains(channel: Channel, user: UserId): boolean {
    if (!channel.members.has(user) && this.#newerReport(channel)?.members.has(user) !== true) return false;
    const { lists } = this.#parts;
    return channel.home.requiredOf(user).every((id) => lists.peek(communityKey(id))?.members.has(user) !== false);
  }

  /** The users whom the channel contains. */
  membersOf(channel: Channel): ReadonlySet<UserId> {
    const reported = this.#newerReport(channel)?.members ?? [];
    return new Set([...channel.members, ...reported].filter((user) => this.contains(channel, user)));
  }

  /** Reads a channel that has subscribers again before its list is too old. */
  refresh(place: ChannelKey): void {
    const channel = this.#channels.get(idOf(place));
    if (channel !== undefined && this.#parts.clock.monotonic() >= channel.dueAt) this.#queue.add(place);
  }

  /** Takes a user who is erased out of the known channels, and ends their subscriptions. */
  forget(userId: UserId): void {
    for (const channel of this.#channels.values()) {
      if (!channel.members.has(userId)) continue;
      channel.members = new Set([...channel.members].filter((user) => user !== userId));
      this.#endRemoved(channel);
    }
  }

  /** Begins no further background read. */
  stop(): void {
    this.#queue.stop();
  }

  /** Reads a channel in the name of a user who is not in it as far as this server knows. */
  async #lookUp(caller: Caller, id: ChannelId, known: Channel | undefined): Promise<Channel | null> {
    const { limits } = this.#parts;
    const { userId } = caller;
    const isKnown = known !== undefined || this.#absent.has(id);
    const place = channelKey(id);
    try {
      await limits.lookUp(userId, place, isKnown, async () => {
        await limits.question(place, async () => {
          // Of many users who come at the same time, the first ones read the channel for all.
          const read = known === undefined ? this.#channels.get(id) : undefined;
          if (read !== undefined && this.contains(read, userId)) return true;
          return (await this.#readOnce(id, caller)) !== null;
        });
        return this.#isInNow(id, userId);
      });
    } catch (error) {
      if (known === undefined || !isTryAgain(error)) throw error;
    }
    const channel = this.#channels.get(id);
    if (channel !== undefined) return channel;
    if (this.#absent.has(id)) return null;
    throw new Refusal('try-again', 'you asked for too many places that are not yours; try again later');
  }

  /**
   * True if the channel, as it was read just now, contains the user. The lists of its communities
   * may be older: those that lack the user are read again.
   */
  async #isInNow(id: ChannelId, userId: UserId): Promise<boolean> {
    const { lists } = this.#parts;
    const channel = this.#channels.get(id);
    if (channel === undefined) return false;
    const lacking = channel.home
      .requiredOf(userId)
      .map(communityKey)
      .filter((community) => lists.peek(community)?.members.has(userId) === false);
    await Promise.allSettled(lacking.map((community) => lists.lookUp(community)));
    return this.contains(channel, userId);
  }

  /** Reads a channel again that contains the caller and is too old to be used. */
  async #readOrKnown(id: ChannelId, caller: Caller, known: Channel): Promise<Channel | null> {
    try {
      return await this.#readOnce(id, caller);
    } catch (error) {
      if (isTryAgain(error) || this.#isJustAdded(known, caller.userId)) return known;
      throw error;
    }
  }

  #readOnce(id: ChannelId, caller: Caller): Promise<Channel | null> {
    const key = `${id}:${caller.userId}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(id, caller).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  async #read(id: ChannelId, caller: Caller): Promise<Channel | null> {
    const { directory, lists, clock, random, listStalenessSeconds } = this.#parts;
    const info = await directory.channel(id, caller);
    if (info === null) {
      if (!this.#channels.has(id)) this.#absent.set(id, true);
      return null;
    }
    this.#absent.delete(id);
    const home = await this.#homes.find(info, caller.userId, this.#channels.get(id)?.home);
    // The lists of its communities must be known, so that later changes of these lists also apply
    // to the channel.
    await Promise.allSettled(home.candidates.map((community) => lists.get(communityKey(community))));
    const members = new Set(info.members);
    const readAt = clock.monotonic();
    const share = DUE_SHARE.base + DUE_SHARE.jitter * random();
    const dueAt = readAt + Math.min(this.stalenessMs, listStalenessSeconds * 1000) * share;
    const channel: Channel = { id, members, isPublic: info.isPublic, name: info.name, home, readAt, dueAt };
    const isNew = !this.#channels.has(id);
    this.#channels.set(id, channel);
    this.#endRemoved(channel);
    for (const listener of this.#listeners) listener(channel, isNew);
    return channel;
  }

  /**
   * One subscriber's token suffices for the whole list. A subscriber whom the directory refuses is
   * removed, and the next one's token is tried.
   */
  async #readAsSubscriber(place: ChannelKey): Promise<void> {
    const { subscribers, clock } = this.#parts;
    const channel = this.#channels.get(idOf(place));
    if (channel === undefined) return;
    const refused = new Set<UserId>();
    let tried = 0;
    for (const caller of subscribers.callers(place)) {
      const { userId, expiresAt } = caller;
      if (refused.has(userId) || expiresAt < clock.now() || this.#isJustAdded(channel, userId)) continue;
      if (++tried > MAX_TOKENS_TRIED) break;
      if (!(await this.#isRefused(channel.id, caller))) break;
      refused.add(userId);
    }
    if (refused.size === 0) return;
    const current = this.#channels.get(channel.id) ?? channel;
    current.members = new Set([...current.members].filter((user) => !refused.has(user)));
    subscribers.remove(place, (user) => refused.has(user));
  }

  /**
   * Reads the channel in the caller's name. True if they may not read it or it does not exist;
   * false if it was read or the directory failed.
   */
  async #isRefused(id: ChannelId, caller: Caller): Promise<boolean> {
    try {
      return (await this.#read(id, caller)) === null;
    } catch (error) {
      return error instanceof Refusal && error.code === 'not-permitted';
    }
  }

  /**
   * The list of a public channel's community if it was reported after the channel was read, or so
   * shortly before that the directory may not have heard of it.
   */
  #newerReport({ isPublic, home, readAt }: Channel): MemberList | undefined {
    if (!isPublic || home.certain === null) return undefined;
    const list = this.#parts.lists.peek(communityKey(home.certain));
    if (list === undefined || list.reportedAt === null) return undefined;
    return list.reportedAt + REPORT_STANDS_MS > readAt ? list : undefined;
  }

  /**
   * True if a report that is less than 10 seconds old says that the user is in the community of
   * this public channel. The directory may still refuse them.
   */
  #isJustAdded(channel: Channel, user: UserId): boolean {
    const report = this.#newerReport(channel);
    if (report === undefined || report.reportedAt === null || !report.members.has(user)) return false;
    return this.#parts.clock.monotonic() - report.reportedAt < REPORT_STANDS_MS;
  }

  #endRemovedOfCommunity(id: CommunityId): void {
    for (const channel of this.#channels.values()) {
      if (channel.home.mayBe(id)) this.#endRemoved(channel);
    }
  }

  #endRemoved(channel: Channel): void {
    this.#parts.subscribers.remove(channelKey(channel.id), (user) => !this.contains(channel, user));
  }
}
