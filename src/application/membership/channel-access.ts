import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import { type ChannelKey, channelKey, communityKey, idOf } from '../../domain/place.ts';
import type { Caller, MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ChannelHome } from './channel-home.ts';
import { HomeFinder } from './home-finder.ts';
import type { MemberLists } from './member-lists.ts';

/** A channel as the directory described it. */
export interface Channel {
  readonly id: ChannelId;
  members: ReadonlySet<UserId>;
  readonly name: string | null;
  readonly home: ChannelHome;
  /** When it was read, by the monotonic clock. */
  readonly readAt: number;
  refreshing: Promise<void> | null;
}

export interface ChannelAccessParts {
  readonly directory: RoomDirectory;
  readonly lists: MemberLists;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly subscribers: LocalSubscribers;
  /** A channel that is older than this is read again before it is used. */
  readonly stalenessSeconds: number;
}

/**
 * A user who is not in a channel's list may have just joined. The channel is read again for them,
 * at most this often.
 */
const REJECTED_STALENESS_MS = 2_000;
/** Subscribers whose tokens are tried to read a channel again. */
const MAX_TOKENS_TRIED = 20;
/** A channel with subscribers is read again when its age is this share of the allowed staleness. */
const REFRESH_SHARE = 0.7;

/**
 * The members of channels. The directory answers about a channel only in a user's name, with the
 * user's token, so the lists are not shared between servers. Nobody reports a change of a channel's
 * list: it is read again when it is stale. Subscriptions of users who are not in a channel any more
 * end when a new list is read, and when the list of its community changes.
 */
export class ChannelAccess {
  /** A channel up to this age, in milliseconds, is used without asking the directory. */
  readonly stalenessMs: number;
  readonly #parts: ChannelAccessParts;
  readonly #homes: HomeFinder;
  readonly #channels = new Map<ChannelId, Channel>();
  /** Questions to the directory that are under way, by channel and user. */
  readonly #reading = new Map<string, Promise<Channel | null>>();

  constructor(parts: ChannelAccessParts) {
    this.#parts = parts;
    this.stalenessMs = parts.stalenessSeconds * 1000;
    this.#homes = new HomeFinder(parts);
    parts.lists.onCommunityChange((id) => this.#endRemovedOfCommunity(id));
  }

  /**
   * The channel; null if there is none with this id. It is returned at once if it is recent enough,
   * otherwise it is read in the caller's name. While the directory cannot be reached, the last
   * known channel is returned.
   * @throws Refusal `not-permitted` if the caller may not read it, `try-again` if it is not known
   * and the directory cannot be reached
   */
  get(caller: Caller, id: ChannelId): MaybePromise<Channel | null> {
    const known = this.#channels.get(id);
    if (known !== undefined) {
      const age = this.#parts.clock.monotonic() - known.readAt;
      const allowed = this.contains(known, caller.userId)
        ? this.stalenessMs
        : Math.min(REJECTED_STALENESS_MS, this.stalenessMs);
      if (age < allowed) return known;
    }
    return this.#readOnce(id, caller, known);
  }

  /** The channel that this server knows. Asks nobody. */
  peek(id: ChannelId): Channel | undefined {
    return this.#channels.get(id);
  }

  /**
   * True if the user is in the channel's list and, as far as this server knows, in its community.
   */
  contains({ members, home }: Channel, user: UserId): boolean {
    if (!members.has(user)) return false;
    const { lists } = this.#parts;
    return home.requiredOf(user).every((id) => lists.peek(communityKey(id))?.members.has(user) !== false);
  }

  /** Reads a channel that has subscribers again before its list is too old. */
  refresh(place: ChannelKey): void {
    const channel = this.#channels.get(idOf(place));
    if (channel === undefined) return;
    const age = this.#parts.clock.monotonic() - channel.readAt;
    if (age <= this.stalenessMs * REFRESH_SHARE) return;
    channel.refreshing ??= this.#readAsSubscriber(place, channel).finally(() => {
      channel.refreshing = null;
    });
  }

  async #readOnce(id: ChannelId, caller: Caller, known: Channel | undefined): Promise<Channel | null> {
    const key = `${id}:${caller.userId}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(id, caller).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    try {
      return await reading;
    } catch (error) {
      if (known !== undefined && error instanceof Refusal && error.code === 'try-again') return known;
      throw error;
    }
  }

  async #read(id: ChannelId, caller: Caller): Promise<Channel | null> {
    const { directory, lists, clock } = this.#parts;
    const info = await directory.channel(id, caller);
    if (info === null) return null;
    const home = await this.#homes.find(info, caller.userId, this.#channels.get(id)?.home);
    // The lists of its communities must be known, so that later changes of these lists also apply
    // to the channel.
    await Promise.allSettled(home.candidates.map((community) => lists.get(communityKey(community))));
    const members = new Set(info.members);
    const channel: Channel = { id, members, name: info.name, home, readAt: clock.monotonic(), refreshing: null };
    this.#channels.set(id, channel);
    this.#endRemoved(channel);
    return channel;
  }

  /**
   * One subscriber's token suffices for the whole list. A subscriber whom the directory refuses is
   * removed, and the next one's token is tried.
   */
  async #readAsSubscriber(place: ChannelKey, channel: Channel): Promise<void> {
    const { subscribers, clock } = this.#parts;
    const refused = new Set<UserId>();
    let tried = 0;
    for (const caller of subscribers.callers(place)) {
      if (refused.has(caller.userId) || caller.expiresAt < clock.now()) continue;
      if (++tried > MAX_TOKENS_TRIED) break;
      if (!(await this.#isRefused(channel.id, caller))) break;
      refused.add(caller.userId);
    }
    if (refused.size === 0) return;
    channel.members = new Set([...channel.members].filter((user) => !refused.has(user)));
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

  #endRemovedOfCommunity(id: CommunityId): void {
    for (const channel of this.#channels.values()) {
      if (channel.home.mayBe(id)) this.#endRemoved(channel);
    }
  }

  #endRemoved(channel: Channel): void {
    this.#parts.subscribers.remove(channelKey(channel.id), (user) => !this.contains(channel, user));
  }
}
