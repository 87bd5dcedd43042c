import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { MemoryMemberCache } from '../../../../src/adapters/memory/member-cache.ts';
import type { Caller } from '../../../../src/application/commands.ts';
import { ChannelAccess } from '../../../../src/application/membership/channel-access.ts';
import { LookUpLimits } from '../../../../src/application/membership/look-up-limits.ts';
import { MemberLists } from '../../../../src/application/membership/member-lists.ts';
import { Membership } from '../../../../src/application/membership/membership.ts';
import type { ChannelInfo, RoomDirectory } from '../../../../src/application/ports/room-directory.ts';
import { Refusal } from '../../../../src/domain/errors.ts';
import type { CommunityId } from '../../../../src/domain/ids.ts';
import { communityKey, type PlaceKey } from '../../../../src/domain/place.ts';
import { HandClock } from '../../../support/hand-clock.ts';
import { TestSubscribers } from '../../../support/test-subscribers.ts';

interface ChannelEntry {
  readonly members: number[];
  readonly isPublic: boolean;
  readonly communityId?: CommunityId;
}

/**
 * A directory that lags behind: it hears of no reported change and does not name a channel's
 * community unless a test asks for it. No embedded adapter does that. It can be away, and it can
 * hold its answers back.
 */
export class StaleDirectory implements RoomDirectory {
  rooms: Record<number, number[]> = { 5: [1, 2, 3] };
  communities: Record<number, number[]> = { 1: [1, 2, 3], 2: [1, 2, 3, 4], 3: [4, 5] };
  channels: Record<number, ChannelEntry> = {
    11: { members: [1, 2, 3], isPublic: true },
    12: { members: [1, 2], isPublic: false },
  };
  isAway = false;
  /** Every question, in order: `room 5`, `community 1`, `channel 11 as 3`, `places of 3`. */
  asked: string[] = [];
  #held: Promise<void> | null = null;

  /**
   * Holds all answers back, also to questions that follow, until the returned function is called.
   */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = null;
      resolve();
    };
  }

  roomMembers(id: number) {
    return this.#answer(`room ${id}`, this.rooms[id] ?? null);
  }

  communityMembers(id: number) {
    return this.#answer(`community ${id}`, this.communities[id] ?? null);
  }

  async channel(id: number, user: { userId: number }): Promise<ChannelInfo | null> {
    const channel = await this.#answer(`channel ${id} as ${user.userId}`, this.channels[id] ?? null);
    if (channel === null) return null;
    if (!channel.members.includes(user.userId))
      throw new Refusal('not-permitted', `you are not a member of channel ${id}`);
    return { id, name: 'general', communityId: null, ...channel };
  }

  async channelsOf(): Promise<null> {
    return null;
  }

  placesOf(userId: number) {
    const all = Object.entries(this.communities).filter(([, members]) => members.includes(userId));
    const places = all.map(([id]) => communityKey(Number(id)));
    return this.#answer(`places of ${userId}`, places);
  }

  async #answer<T>(question: string, answer: T): Promise<T> {
    this.asked.push(question);
    await this.#held;
    if (this.isAway) throw new Refusal('try-again', 'the community service cannot be reached');
    return answer;
  }
}

export const STALENESS_MS = 60_000;
/** A list with subscribers is read from the directory again within this time. */
export const LIST_STALENESS_MS = 240_000;
/** A report is not overruled by the directory for this time. */
export const REPORT_STANDS_MS = 10_000;

export function caller(userId: number, expiresAt = Number.POSITIVE_INFINITY): Caller {
  return { userId, token: `token-of-${userId}`, expiresAt };
}

/**
 * The membership parts of one server. `shared` are the parts that several servers have in common.
 */
export function setUp(
  shared: { directory?: StaleDirectory; cache?: MemoryMemberCache; clock?: HandClock; random?: () => number } = {},
) {
  const { directory = new StaleDirectory(), clock = new HandClock() } = shared;
  const cache = shared.cache ?? new MemoryMemberCache({ now: () => clock.monotonic() });
  const telemetry = new RecordedTelemetry();
  const subscribers = new TestSubscribers();
  const limits = new LookUpLimits({ clock, telemetry });
  const random = shared.random ?? (() => 0.5);
  const listStalenessSeconds = LIST_STALENESS_MS / 1000;
  const common = { directory, limits, clock, random, telemetry, subscribers };
  const lists = new MemberLists({ ...common, cache, stalenessSeconds: listStalenessSeconds });
  const stalenessSeconds = STALENESS_MS / 1000;
  const channels = new ChannelAccess({ ...common, lists, stalenessSeconds, listStalenessSeconds });
  const membership = new Membership({ lists, channels, clock, subscribers, listStalenessSeconds });
  const join = (place: PlaceKey, ...users: readonly number[]): void => {
    for (const user of users) subscribers.join(caller(user), place);
  };
  const subscribed = (place: PlaceKey): number[] => [...subscribers.callers(place)].map(({ userId }) => userId);
  const may = async (userId: number, place: PlaceKey, communityId: number | null = null): Promise<string> => {
    try {
      await membership.require(caller(userId), place, communityId);
      return 'yes';
    } catch (error) {
      return error instanceof Refusal ? error.code : String(error);
    }
  };
  const enterVoice = async (userId: number, channelId: number, communityId: number) =>
    membership.requireVoice(caller(userId), channelId, communityId);
  return {
    directory,
    cache,
    clock,
    telemetry,
    subscribers,
    lists,
    channels,
    membership,
    join,
    subscribed,
    may,
    enterVoice,
  };
}

/** Resolves when everything that can run now has run, background reads included. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
