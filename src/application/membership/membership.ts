import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import { channelKey, communityKey, idOf, isChannel, type PlaceKey } from '../../domain/place.ts';
import type { Caller, MaybePromise } from '../commands.ts';
import { whenReady } from '../commands.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { Channel, ChannelAccess } from './channel-access.ts';
import type { MemberLists } from './member-lists.ts';
import { notMember } from './not-member.ts';

export interface MembershipParts {
  readonly lists: MemberLists;
  readonly channels: ChannelAccess;
  readonly clock: Clock;
  readonly subscribers: LocalSubscribers;
  /** A list with subscribers is never older than this. */
  readonly listStalenessSeconds: number;
}

/** Limits of the interval between two checks of the places with subscribers, in milliseconds. */
const MIN_CHECK_MS = 100;
const MAX_CHECK_MS = 5_000;

/**
 * The rules of who may read and write where. A user who is not in a known list is looked up in the
 * directory before they are refused. While the directory cannot be reached, lists that this
 * server or the shared cache knows decide; a place whose list is not known is refused with
 * `try-again`.
 */
export class Membership {
  readonly #parts: MembershipParts;
  #timer: Timer | null = null;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** Begins to refresh, in the background, the lists on which live subscriptions depend. */
  start(): void {
    const { clock, channels, listStalenessSeconds } = this.#parts;
    const stalenessMs = Math.min(channels.stalenessMs, listStalenessSeconds * 1000);
    this.#timer = clock.after(Math.min(MAX_CHECK_MS, Math.max(MIN_CHECK_MS, stalenessMs / 10)), () => {
      this.#refreshSubscribed();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#parts.lists.stop();
    this.#parts.channels.stop();
  }

  /**
   * Resolves, at once where the lists are known, if the caller may read and write in that place.
   * @param communityId the community that the caller names for a channel; null if they name none
   * @throws Refusal `not-permitted`, `try-again`
   */
  require(caller: Caller, place: PlaceKey, communityId: CommunityId | null = null): MaybePromise<void> {
    const { lists, channels } = this.#parts;
    if (!isChannel(place)) return lists.require(caller.userId, place);
    return whenReady(channels.get(caller, idOf(place)), (channel) => {
      if (channel === null) throw notMember(place);
      return this.#requireChannel(caller, channel, communityId);
    });
  }

  /**
   * Resolves if the caller may enter that voice channel of the community. A channel that the
   * directory does not know is open to the whole community.
   * @throws Refusal `not-permitted`, `try-again`
   */
  requireVoice(caller: Caller, id: ChannelId, communityId: CommunityId): MaybePromise<void> {
    return whenReady(this.require(caller, communityKey(communityId)), () =>
      whenReady(this.#parts.channels.get(caller, id), (channel) => {
        if (channel !== null) return this.#requireChannel(caller, channel, communityId);
      }),
    );
  }

  /**
   * The members of a place. Of a channel: as far as this server knows them, since the directory
   * answers only in a user's name.
   * @throws Refusal `not-permitted` if there is no such room or community, `try-again`
   */
  async members(place: PlaceKey): Promise<ReadonlySet<UserId>> {
    const { lists, channels } = this.#parts;
    if (!isChannel(place)) return (await lists.get(place)).members;
    const channel = channels.peek(idOf(place));
    return channel === undefined ? new Set() : channels.membersOf(channel);
  }

  /** The name of a channel; null if this server does not know it. */
  channelName(id: ChannelId): string | null {
    return this.#parts.channels.peek(id)?.name ?? null;
  }

  #requireChannel(caller: Caller, channel: Channel, communityId: CommunityId | null): MaybePromise<void> {
    const { lists, channels } = this.#parts;
    if (!channels.contains(channel, caller.userId)) throw notMember(channelKey(channel.id));
    if (communityId === null) return;
    const { home } = channel;
    if (!home.accepts(caller.userId, communityId)) {
      throw new Refusal('not-permitted', `channel ${channel.id} does not belong to community ${communityId}`);
    }
    return whenReady(lists.require(caller.userId, communityKey(communityId)), () => {
      home.recordVote(caller.userId, communityId);
    });
  }

  #refreshSubscribed(): void {
    const { lists, channels, subscribers } = this.#parts;
    for (const place of subscribers.places()) {
      if (isChannel(place)) channels.refresh(place);
      else lists.refresh(place);
    }
  }
}
