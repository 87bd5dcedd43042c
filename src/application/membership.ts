import { communityTopic, conversationTopic, parseTopic, type Topic } from '../domain/audience.ts';
import { type ConversationKey, channelKey, idOf, isChannel, roomKey } from '../domain/conversation.ts';
import { Refusal } from '../domain/errors.ts';
import type { ChannelId, CommunityId, RoomId, UserId } from '../domain/ids.ts';
import type { Caller, MaybePromise } from './caller.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { LocalSubscribers } from './ports/local-subscribers.ts';
import type { MemberCache, MemberCacheKey } from './ports/member-cache.ts';
import type { RoomDirectory } from './ports/room-directory.ts';
import type { Telemetry } from './ports/telemetry.ts';

interface Group {
  members: ReadonlySet<UserId>;
  /** When it was heard. */
  at: number;
  refreshing: Promise<void> | null;
}

interface Channel {
  members: ReadonlySet<UserId>;
  name: string | null;
  /** The community it belongs to; several while only guessed, none where nothing is known. */
  communities: readonly CommunityId[];
  at: number;
  refreshing: Promise<void> | null;
}

/** A group's list is believed for so long before the shared cache is asked again; meanwhile changes are told over the bus. */
const GROUP_FRESH_MS = 60_000;
/** A user who is not in a channel's list may have just been let in: his question is asked anew, but not more often than this. */
const ASK_AGAIN_MS = 2_000;
const MAX_GROUPS = 100_000;

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
  readonly #groups = new Map<MemberCacheKey, Group>();
  readonly #loading = new Map<MemberCacheKey, Promise<Group>>();
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
  }

  /** Begins to look after the lists that live subscriptions depend on. */
  start(): void {
    this.#timer = this.#clock.after(Math.max(500, this.#staleMs / 10), () => {
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
  require(caller: Caller, place: ConversationKey, communityId: CommunityId | null): MaybePromise<void> {
    if (!isChannel(place)) {
      const group = this.#group(`R${idOf(place)}`);
      return group instanceof Promise ? group.then((g) => permit(g, caller)) : permit(group, caller);
    }
    const channel = this.#channels.get(idOf(place));
    const now = this.#clock.now();
    if (channel !== undefined && now - channel.at < this.#staleMs && channel.members.has(caller.userId)) {
      return this.#requireChannel(caller, channel, communityId);
    }
    return this.#askChannel(idOf(place), caller).then((asked) => this.#requireChannel(caller, asked, communityId));
  }

  /** @throws as {@link require} */
  requireTopic(caller: Caller, topic: Topic): MaybePromise<void> {
    if (topic.kind === 'conversation') return this.require(caller, topic.key, null);
    return this.requireCommunity(caller, topic.id);
  }

  /** @throws as {@link require} */
  requireCommunity(caller: Caller, id: CommunityId): MaybePromise<void> {
    const group = this.#group(`CH${id}`);
    return group instanceof Promise ? group.then((g) => permit(g, caller)) : permit(group, caller);
  }

  /** Everybody in there, as far as it is known without a user's token. @throws Refusal `try-again` */
  async members(topic: Topic): Promise<ReadonlySet<UserId>> {
    if (topic.kind === 'community') return (await this.#group(`CH${topic.id}`)).members;
    if (!isChannel(topic.key)) return (await this.#group(`R${idOf(topic.key)}`)).members;
    return this.#channels.get(idOf(topic.key))?.members ?? new Set();
  }

  channelName(id: ChannelId): string | null {
    return this.#channels.get(id)?.name ?? null;
  }

  /** The community of a channel where exactly one is known. */
  communityOf(id: ChannelId): CommunityId | null {
    const communities = this.#channels.get(id)?.communities;
    return communities?.length === 1 ? (communities[0] ?? null) : null;
  }

  /** A service told the new list: keeps it for all servers. The caller tells the others. */
  async replace(kind: 'room' | 'community', id: number, members: readonly UserId[]): Promise<void> {
    this.changed(kind, id, members);
    await this.#cache.put(cacheKey(kind, id), members);
  }

  /** The list is another now, by word of this server or another: ends what the removed are subscribed to here. */
  changed(kind: 'room' | 'community', id: number, members: readonly UserId[]): void {
    this.#keep(cacheKey(kind, id), new Set(members));
    if (kind === 'room') this.#endRoom(id);
    else this.#endCommunity(id);
  }

  #endRoom(id: RoomId): void {
    const members = this.#groups.get(`R${id}`)?.members;
    if (members !== undefined) this.#subscribers.remove(conversationTopic(roomKey(id)), (user) => !members.has(user));
  }

  #endCommunity(id: CommunityId): void {
    const members = this.#groups.get(`CH${id}`)?.members;
    if (members === undefined) return;
    this.#subscribers.remove(communityTopic(id), (user) => !members.has(user));
    for (const [channelId, channel] of this.#channels) {
      if (channel.communities.includes(id)) this.#endChannel(channelId, channel);
    }
  }

  #endChannel(id: ChannelId, channel: Channel): void {
    this.#subscribers.remove(
      conversationTopic(channelKey(id)),
      (user) => !channel.members.has(user) || !this.#inAny(channel.communities, user),
    );
  }

  /** True where the user is in one of the communities, or none of their lists is known here. */
  #inAny(communities: readonly CommunityId[], user: UserId): boolean {
    let known = false;
    for (const id of communities) {
      const group = this.#groups.get(`CH${id}`);
      if (group?.members.has(user)) return true;
      known ||= group !== undefined;
    }
    return !known;
  }

  #requireChannel(caller: Caller, channel: Channel, communityId: CommunityId | null): MaybePromise<void> {
    if (!channel.members.has(caller.userId)) throw notPermitted();
    if (communityId !== null) {
      const { communities } = channel;
      if (communities.length > 0 && !communities.includes(communityId)) {
        throw new Refusal('not-permitted', 'this channel belongs to another community');
      }
      const group = this.#group(`CH${communityId}`);
      if (group instanceof Promise) return group.then((g) => this.#pin(caller, channel, communityId, g));
      return this.#pin(caller, channel, communityId, group);
    }
    if (channel.communities.length === 0) return;
    if (!this.#inAny(channel.communities, caller.userId)) throw notPermitted();
  }

  /** The first member who names a community that fits decides where a guess left several. */
  #pin(caller: Caller, channel: Channel, communityId: CommunityId, group: Group): void {
    permit(group, caller);
    if (channel.communities.length !== 1) channel.communities = [communityId];
  }

  #group(key: MemberCacheKey): MaybePromise<Group> {
    const group = this.#groups.get(key);
    if (group === undefined) return this.#load(key);
    if (this.#clock.now() - group.at > GROUP_FRESH_MS) this.#refresh(key, group);
    return group;
  }

  #load(key: MemberCacheKey): Promise<Group> {
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(key)
        // What was told while we asked counts more.
        .then((members) => this.#groups.get(key) ?? this.#keep(key, members))
        .finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #read(key: MemberCacheKey): Promise<ReadonlySet<UserId>> {
    const cached = await this.#cache.get(key);
    if (cached !== null) return new Set(cached);
    const id = Number(key.slice(key.startsWith('R') ? 1 : 2));
    const members = await (key.startsWith('R')
      ? this.#directory.roomMembers(id)
      : this.#directory.communityMembers(id));
    if (members === null) throw notPermitted();
    void this.#cache.put(key, members);
    return new Set(members);
  }

  #refresh(key: MemberCacheKey, group: Group): void {
    group.refreshing ??= this.#read(key)
      .then(
        (members) => {
          if (this.#groups.get(key) !== group) return;
          this.#keep(key, members);
          if (key.startsWith('R')) this.#endRoom(Number(key.slice(1)));
          else this.#endCommunity(Number(key.slice(2)));
        },
        (error: unknown) => this.#telemetry.log('debug', 'members not refreshed', { key, reason: String(error) }),
      )
      .finally(() => {
        group.at = this.#clock.now();
        group.refreshing = null;
      });
  }

  #keep(key: MemberCacheKey, members: ReadonlySet<UserId>): Group {
    const group: Group = { members, at: this.#clock.now(), refreshing: null };
    this.#groups.delete(key);
    this.#groups.set(key, group);
    if (this.#groups.size > MAX_GROUPS) {
      const oldest = this.#groups.keys().next().value;
      if (oldest !== undefined) this.#groups.delete(oldest);
    }
    return group;
  }

  /** Asks in the caller's name, unless what is kept is recent enough or the directory is away. */
  async #askChannel(id: ChannelId, caller: Caller): Promise<Channel> {
    const kept = this.#channels.get(id);
    if (kept !== undefined && this.#clock.now() - kept.at < Math.min(ASK_AGAIN_MS, this.#staleMs)) return kept;
    const key = `${id}:${caller.userId}`;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#readChannel(id, caller).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    try {
      return await asking;
    } catch (error) {
      if (kept !== undefined && error instanceof Refusal && error.code === 'try-again') return kept;
      throw error;
    }
  }

  async #readChannel(id: ChannelId, caller: Caller): Promise<Channel> {
    const info = await this.#directory.channel(id, caller);
    if (info === null) throw notPermitted();
    const members = new Set(info.members);
    const kept = this.#channels.get(id);
    const communities =
      info.communityId !== null
        ? [info.communityId]
        : kept !== undefined && kept.communities.length > 0
          ? kept.communities
          : await this.#guessCommunities(members, caller);
    await this.#known(communities);
    const channel: Channel = { members, name: info.name, communities, at: this.#clock.now(), refreshing: null };
    this.#channels.set(id, channel);
    this.#endChannel(id, channel);
    return channel;
  }

  /** The directory does not tell a channel's community: those of the caller's that hold all the channel's members can be it. */
  async #guessCommunities(members: ReadonlySet<UserId>, caller: Caller): Promise<CommunityId[]> {
    const fitting: CommunityId[] = [];
    try {
      for (const text of await this.#directory.topicsOf(caller.userId)) {
        const topic = parseTopic(`/topic/${text}`);
        if (topic?.kind !== 'community') continue;
        const group = await this.#group(`CH${topic.id}`);
        if ([...members].every((user) => group.members.has(user))) fitting.push(topic.id);
      }
    } catch (error) {
      this.#telemetry.log('debug', 'community of a channel not known', { reason: String(error) });
    }
    return fitting;
  }

  /** Loads the lists of these communities where they can be had: what is told of them later is then understood. */
  async #known(communities: readonly CommunityId[]): Promise<void> {
    await Promise.allSettled(communities.map((id) => this.#group(`CH${id}`)));
  }

  /** Lists that live subscriptions depend on grow old as well: each is read anew before it is too old. */
  #refreshSubscribed(): void {
    const now = this.#clock.now();
    for (const destination of this.#subscribers.destinations()) {
      const topic = parseTopic(destination);
      if (topic === null) continue;
      if (topic.kind === 'community') void this.#touch(`CH${topic.id}`);
      else if (!isChannel(topic.key)) void this.#touch(`R${idOf(topic.key)}`);
      else {
        const channel = this.#channels.get(idOf(topic.key));
        if (channel !== undefined && now - channel.at > this.#staleMs * 0.7)
          this.#refreshChannel(destination, topic.key, channel);
      }
    }
  }

  #touch(key: MemberCacheKey): void {
    const group = this.#groups.get(key);
    if (group !== undefined && this.#clock.now() - group.at > GROUP_FRESH_MS) this.#refresh(key, group);
  }

  #refreshChannel(destination: string, key: ConversationKey, channel: Channel): void {
    channel.refreshing ??= this.#askAnyOf(destination, idOf(key), channel).finally(() => {
      channel.refreshing = null;
    });
  }

  /** Any subscriber's token tells the whole list; a subscriber who is told no is himself removed, and the next one's is tried. */
  async #askAnyOf(destination: string, id: ChannelId, channel: Channel): Promise<void> {
    const refused = new Set<UserId>();
    let asked = 0;
    for (const caller of this.#subscribers.callers(destination)) {
      if (refused.has(caller.userId) || caller.expiresAt < this.#clock.now()) continue;
      if (++asked > 20) break;
      try {
        await this.#readChannel(id, caller);
        break;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'not-permitted') break;
        refused.add(caller.userId);
      }
    }
    if (refused.size > 0) {
      const left = new Set(channel.members);
      for (const user of refused) left.delete(user);
      channel.members = left;
      this.#subscribers.remove(destination, (user) => refused.has(user));
    }
  }
}

function cacheKey(kind: 'room' | 'community', id: number): MemberCacheKey {
  return kind === 'room' ? `R${id}` : `CH${id}`;
}

function permit(group: Group, caller: Caller): void {
  if (!group.members.has(caller.userId)) throw notPermitted();
}

function notPermitted(): Refusal {
  return new Refusal('not-permitted', 'you are not a member there');
}
