import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import {
  type ChannelKey,
  channelKey,
  communityKey,
  idOf,
  isChannel,
  isCommunity,
  isRoom,
  type MemberListKey,
  type PlaceKey,
} from '../../domain/place.ts';
import type { Caller, MaybePromise } from '../commands.ts';
import { whenReady } from '../commands.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { MemberCache } from '../ports/member-cache.ts';
import type { ChannelInfo, RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { ChannelHome } from './channel-home.ts';
import { type MemberList, MemberLists } from './member-lists.ts';

interface Channel {
  members: ReadonlySet<UserId>;
  readonly name: string | null;
  readonly home: ChannelHome;
  readonly at: number;
  refreshing: Promise<void> | null;
}

/** A user who is not in a channel's list may have just been let in: his question is asked anew, but not more often than this. */
const ASK_AGAIN_MS = 2_000;
/** Subscribers whose tokens are tried to read a channel anew. */
const MOST_ASKED = 20;

/**
 * Who may read and write where. Lists are kept in this process, in the cache that all servers share, and come from the directory in the first place. With the directory
 * away what is kept decides; what is not kept is refused with `try-again`. A change that was told (the two PUT calls) counts more than what the directory says.
 */
export class Membership {
  readonly #directory: RoomDirectory;
  readonly #cache: MemberCache;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #subscribers: LocalSubscribers;
  readonly #staleMs: number;
  readonly #lists: MemberLists;
  readonly #channels = new Map<ChannelId, Channel>();
  readonly #asking = new Map<string, Promise<Channel>>();
  #timer: Timer | null = null;

  constructor(parts: {
    directory: RoomDirectory;
    cache: MemberCache;
    clock: Clock;
    telemetry: Telemetry;
    subscribers: LocalSubscribers;
    channelStalenessSeconds: number;
  }) {
    this.#directory = parts.directory;
    this.#cache = parts.cache;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#subscribers = parts.subscribers;
    this.#staleMs = parts.channelStalenessSeconds * 1000;
    this.#lists = new MemberLists({ ...parts, changed: (place) => this.#endRemoved(place) });
  }

  /** Begins to look after the lists that live subscriptions depend on. */
  start(): void {
    this.#timer = this.#clock.after(Math.max(100, this.#staleMs / 10), () => {
      this.#refreshSubscribed();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /**
   * Lets the caller in, or not. `communityId`, where the caller names one, must be the channel's.
   * @throws Refusal `not-permitted`, `try-again`
   */
  require(caller: Caller, place: PlaceKey, communityId: CommunityId | null = null): MaybePromise<void> {
    if (!isChannel(place)) return whenReady(this.#lists.get(place), (list) => permit(list, caller));
    return whenReady(this.#channelFor(caller, idOf(place)), (channel) => {
      if (channel === null) throw notPermitted();
      return this.#permitChannel(caller, channel, communityId);
    });
  }

  /** May the caller enter that voice channel of the community? One that the directory does not know is open to the community. @throws as {@link require} */
  requireVoice(caller: Caller, id: ChannelId, communityId: CommunityId): MaybePromise<void> {
    return whenReady(this.require(caller, communityKey(communityId)), () =>
      whenReady(this.#channelFor(caller, id), (channel) => {
        if (channel !== null) return this.#permitChannel(caller, channel, communityId);
      }),
    );
  }

  /** Everybody in there, as far as it is known without a user's token. @throws Refusal `try-again` */
  async members(place: PlaceKey): Promise<ReadonlySet<UserId>> {
    if (!isChannel(place)) return (await this.#lists.get(place)).members;
    const channel = this.#channels.get(idOf(place));
    if (channel === undefined) return new Set();
    return new Set([...channel.members].filter((user) => this.#isHome(channel, user)));
  }

  channelName(id: ChannelId): string | null {
    return this.#channels.get(id)?.name ?? null;
  }

  /** A service told the new list: keeps it for all servers. The caller tells the others. */
  async replace(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    this.changed(place, members);
    await this.#cache.put(place, members);
  }

  /** The list is another now, by word of this server or another: ends what the removed are subscribed to here. */
  changed(place: MemberListKey, members: readonly UserId[]): void {
    this.#lists.tell(place, members);
  }

  #endRemoved(place: MemberListKey): void {
    const members = this.#lists.peek(place)?.members;
    if (members === undefined) return;
    this.#subscribers.remove(place, (user) => !members.has(user));
    if (isRoom(place)) return;
    const id = idOf(place);
    for (const [channelId, channel] of this.#channels) {
      if (channel.home.mayBe(id)) this.#endRemovedOf(channelId, channel);
    }
  }

  #endRemovedOf(id: ChannelId, channel: Channel): void {
    this.#subscribers.remove(channelKey(id), (user) => !channel.members.has(user) || !this.#isHome(channel, user));
  }

  /** True where the user is in the channel's community, as far as that is known here. */
  #isHome({ home }: Channel, user: UserId): boolean {
    return home.neededBy(user).every((id) => this.#lists.peek(communityKey(id))?.members.has(user) !== false);
  }

  #permitChannel(caller: Caller, channel: Channel, communityId: CommunityId | null): MaybePromise<void> {
    const { home } = channel;
    if (!channel.members.has(caller.userId) || !this.#isHome(channel, caller.userId)) throw notPermitted();
    if (communityId === null) return;
    if (!home.accepts(caller.userId, communityId)) {
      throw new Refusal('not-permitted', 'this channel belongs to another community');
    }
    return whenReady(this.#lists.get(communityKey(communityId)), (list) => {
      permit(list, caller);
      home.heard(caller.userId, communityId);
    });
  }

  /** What is kept, if it is recent enough and holds the caller; else asked in his name. Null: there is no such channel. */
  #channelFor(caller: Caller, id: ChannelId): MaybePromise<Channel | null> {
    const kept = this.#channels.get(id);
    if (kept !== undefined) {
      const age = this.#clock.now() - kept.at;
      const isIn = kept.members.has(caller.userId) && this.#isHome(kept, caller.userId);
      const isRecent = age < (isIn ? this.#staleMs : Math.min(ASK_AGAIN_MS, this.#staleMs));
      if (isRecent) return kept;
    }
    return this.#askChannel(id, caller, kept);
  }

  async #askChannel(id: ChannelId, caller: Caller, kept: Channel | undefined): Promise<Channel | null> {
    const key = `${id}:${caller.userId}`;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#readChannel(id, caller).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    try {
      return await asking;
    } catch (error) {
      if (error instanceof NoChannel) return null;
      if (kept !== undefined && error instanceof Refusal && error.code === 'try-again') return kept;
      throw error;
    }
  }

  async #readChannel(id: ChannelId, caller: Caller): Promise<Channel> {
    const info = await this.#directory.channel(id, caller);
    if (info === null) throw new NoChannel('not-permitted', 'there is no such channel');
    const home = await this.#homeOf(info, caller);
    // Where the lists of its communities are known, what is told of them later is understood.
    await Promise.allSettled(home.candidates.map((community) => this.#lists.get(communityKey(community))));
    const members = new Set(info.members);
    const channel: Channel = { members, name: info.name, home, at: this.#clock.now(), refreshing: null };
    this.#channels.set(id, channel);
    this.#endRemovedOf(id, channel);
    return channel;
  }

  async #homeOf({ id, communityId, isPublic, members }: ChannelInfo, caller: Caller): Promise<ChannelHome> {
    const kept = this.#channels.get(id);
    if (communityId !== null) return new ChannelHome([communityId], kept?.home);
    const known = kept?.home.candidates ?? [];
    if (kept !== undefined && known.length === 1) return kept.home;
    if (kept !== undefined && known.length > 0) {
      // One that does not hold all members any more, by the directory that lists them, was none.
      const fitting = await this.#fitting(known, members, isPublic);
      return new ChannelHome(fitting.length > 0 ? fitting : known, kept.home);
    }
    try {
      const mine: CommunityId[] = [];
      for (const place of await this.#directory.placesOf(caller.userId)) {
        if (isCommunity(place)) mine.push(idOf(place));
      }
      return new ChannelHome(await this.#fitting(mine, members, isPublic), kept?.home);
    } catch (error) {
      this.#telemetry.log('debug', 'community of a channel not known', { channel: id, reason: String(error) });
      return new ChannelHome([], kept?.home);
    }
  }

  /**
   * Those of the communities that hold all the members; for a public channel those with nobody else, if there are such. By the directory's own lists, which
   * fit to its list of the channel even where both are older than what was told.
   */
  async #fitting(ids: readonly CommunityId[], members: readonly UserId[], isPublic: boolean): Promise<CommunityId[]> {
    const sizes = await Promise.all(ids.map((id) => this.#sizeAround(id, members)));
    const fitting = ids.map((id, at) => ({ id, size: sizes[at] ?? null })).filter(({ size }) => size !== null);
    const exact = isPublic ? fitting.filter(({ size }) => size === members.length) : [];
    return (exact.length > 0 ? exact : fitting).map(({ id }) => id);
  }

  /** How many are in the community, where it holds all these members; else null. The directory is asked only where the kept list comes near. */
  async #sizeAround(id: CommunityId, members: readonly UserId[]): Promise<number | null> {
    const kept = (await this.#lists.get(communityKey(id))).members;
    const held = members.filter((user) => kept.has(user)).length;
    if (held === members.length) return kept.size;
    if (held * 2 < members.length) return null;
    const all = new Set((await this.#directory.communityMembers(id)) ?? []);
    return members.every((user) => all.has(user)) ? all.size : null;
  }

  /** Lists that live subscriptions depend on grow old as well: each is read anew before it is too old. */
  #refreshSubscribed(): void {
    const now = this.#clock.now();
    for (const place of this.#subscribers.places()) {
      if (!isChannel(place)) {
        this.#lists.touch(place);
        continue;
      }
      const channel = this.#channels.get(idOf(place));
      if (channel !== undefined && now - channel.at > this.#staleMs * 0.7) this.#refreshChannel(place, channel);
    }
  }

  #refreshChannel(place: ChannelKey, channel: Channel): void {
    channel.refreshing ??= this.#askAnyOf(place, channel).finally(() => {
      channel.refreshing = null;
    });
  }

  /** Any subscriber's token tells the whole list; a subscriber who is told no is himself removed, and the next one's is tried. */
  async #askAnyOf(place: ChannelKey, channel: Channel): Promise<void> {
    const refused = new Set<UserId>();
    let asked = 0;
    for (const caller of this.#subscribers.callers(place)) {
      if (refused.has(caller.userId) || caller.expiresAt < this.#clock.now()) continue;
      if (++asked > MOST_ASKED) break;
      try {
        await this.#readChannel(idOf(place), caller);
        break;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'not-permitted') break;
        refused.add(caller.userId);
      }
    }
    if (refused.size === 0) return;
    channel.members = new Set([...channel.members].filter((user) => !refused.has(user)));
    this.#subscribers.remove(place, (user) => refused.has(user));
  }
}

class NoChannel extends Refusal {}

function permit({ members }: MemberList, { userId }: Caller): void {
  if (!members.has(userId)) throw notPermitted();
}

function notPermitted(): Refusal {
  return new Refusal('not-permitted', 'you are not a member there');
}
