import { describe, expect, test } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { MemoryMemberCache } from '../../../src/adapters/memory/member-cache.ts';
import type { Caller } from '../../../src/application/commands.ts';
import { ChannelAccess } from '../../../src/application/membership/channel-access.ts';
import { MemberLists } from '../../../src/application/membership/member-lists.ts';
import { Membership } from '../../../src/application/membership/membership.ts';
import type { LocalSubscribers } from '../../../src/application/ports/local-subscribers.ts';
import type { ChannelInfo, RoomDirectory } from '../../../src/application/ports/room-directory.ts';
import { Refusal } from '../../../src/domain/errors.ts';
import { communityKey, type PlaceKey } from '../../../src/domain/place.ts';
import { HandClock } from '../../support/hand-clock.ts';

const AWAY = new Refusal('try-again', 'the community service is not reached');

/** A community service that hears of no change, as one that is behind: it answers what it was given, and never a channel's community. */
class StaleDirectory implements RoomDirectory {
  rooms: Record<number, number[]> = { 5: [1, 2, 3] };
  communities: Record<number, number[]> = { 1: [1, 2, 3], 2: [1, 2, 3, 4], 3: [4, 5] };
  channels: Record<number, { members: number[]; isPublic: boolean }> = {
    11: { members: [1, 2, 3], isPublic: true },
    12: { members: [1, 2], isPublic: false },
  };
  isAway = false;
  asked: string[] = [];

  async roomMembers(id: number) {
    return this.#answer(`room ${id}`, this.rooms[id] ?? null);
  }

  async communityMembers(id: number) {
    return this.#answer(`community ${id}`, this.communities[id] ?? null);
  }

  async channel(id: number, user: { userId: number }): Promise<ChannelInfo | null> {
    const channel = this.#answer(`channel ${id}`, this.channels[id] ?? null);
    if (channel === null) return null;
    if (!channel.members.includes(user.userId)) throw new Refusal('not-permitted', 'not yours');
    return { id, name: 'general', communityId: null, ...channel };
  }

  async placesOf(userId: number) {
    const all = Object.entries(this.communities).filter(([, members]) => members.includes(userId));
    return this.#answer(
      `places ${userId}`,
      all.map(([id]) => communityKey(Number(id))),
    );
  }

  #answer<T>(asked: string, answer: T): T {
    this.asked.push(asked);
    if (this.isAway) throw AWAY;
    return answer;
  }
}

function caller(userId: number): Caller {
  return { userId, account: `u${userId}`, token: 't', expiresAt: Number.POSITIVE_INFINITY };
}

function setUp(directory = new StaleDirectory(), cache = new MemoryMemberCache(), clock = new HandClock()) {
  const live = new Map<PlaceKey, number[]>();
  const telemetry = new RecordedTelemetry();
  const subscribers: LocalSubscribers = {
    deliver: () => {},
    count: (place) => live.get(place)?.length ?? 0,
    places: () => live.keys(),
    callers: (place) => (live.get(place) ?? []).map(caller),
    remove: (place, isRemoved) => {
      const left = (live.get(place) ?? []).filter((user) => !isRemoved(user));
      live.set(place, left);
    },
  };
  const lists = new MemberLists({ directory, cache, clock, telemetry, subscribers });
  const channels = new ChannelAccess({ directory, lists, clock, telemetry, subscribers, stalenessSeconds: 60 });
  const membership = new Membership({ lists, channels, clock, subscribers });
  const may = async (userId: number, place: 'r-5' | 'c-11' | 'c-12', communityId: number | null = null) => {
    try {
      await membership.require(caller(userId), place, communityId);
      return 'yes';
    } catch (error) {
      return error instanceof Refusal ? error.code : error;
    }
  };
  return { directory, cache, clock, live, lists, membership, may };
}

describe('who was removed', () => {
  test('stays out although the directory still lists him, however old the list grows', async () => {
    const { may, lists, clock } = setUp();
    expect(await may(3, 'r-5')).toBe('yes');
    await lists.replace('r-5', [1, 2]);
    expect(await may(3, 'r-5')).toBe('not-permitted');
    clock.pass(61_000);
    await may(3, 'r-5');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await may(3, 'r-5')).toBe('not-permitted');
    expect(await may(2, 'r-5')).toBe('yes');
  });

  test('stays out of it on a server that only heard of it and shares no cache', async () => {
    const { may, lists, clock } = setUp();
    lists.apply('r-5', [1, 2]);
    clock.pass(61_000);
    await may(1, 'r-5');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await may(3, 'r-5')).toBe('not-permitted');
  });

  test('is not let in by an answer that was on its way when the new list was told', async () => {
    const cache = new MemoryMemberCache();
    const late = Promise.withResolvers<number[]>();
    const slow = new StaleDirectory();
    slow.roomMembers = () => late.promise;
    const there = setUp(slow, cache);
    const here = setUp(new StaleDirectory(), cache);
    const asking = there.may(3, 'r-5');
    await here.lists.replace('r-5', [1, 2]);
    late.resolve([1, 2, 3]);
    await asking;
    expect(await cache.get('r-5')).toEqual([1, 2]);
  });

  test('loses the channels of the community, though nobody says whose they are', async () => {
    const { may, lists, live } = setUp();
    expect(await may(3, 'c-11')).toBe('yes');
    live.set('c-11', [1, 2, 3]);
    live.set('com-1', [1, 3]);
    await lists.replace('com-1', [1, 2]);
    expect(live.get('c-11')).toEqual([1, 2]);
    expect(live.get('com-1')).toEqual([1]);
    expect(await may(3, 'c-11')).toBe('not-permitted');
    expect(await may(2, 'c-11')).toBe('yes');
  });

  test('does not get in by another server, or after a restart, where the channel was never asked for', async () => {
    const { may, lists } = setUp();
    lists.apply('com-1', [1, 2]);
    expect(await may(3, 'c-11')).toBe('not-permitted');
    expect(await may(1, 'c-11')).toBe('yes');
    const restarted = setUp();
    await restarted.cache.put('com-1', [1, 2]);
    expect(await restarted.may(3, 'c-11')).toBe('not-permitted');
    expect(await restarted.may(1, 'c-11')).toBe('yes');
  });

  test('loses a private channel that could be of several communities', async () => {
    const { may, lists, live } = setUp();
    expect(await may(2, 'c-12')).toBe('yes');
    live.set('c-12', [1, 2]);
    await lists.replace('com-1', [1, 3]);
    expect(live.get('c-12')).toEqual([1]);
    expect(await may(2, 'c-12')).toBe('not-permitted');
  });
});

describe('who was removed from another community', () => {
  test('keeps his private channels once the directory shows that they are not of that one', async () => {
    const { directory, may, lists, clock } = setUp();
    expect(await may(2, 'c-12')).toBe('yes');
    await lists.replace('com-1', [1, 3]);
    directory.communities[1] = [1, 3];
    expect(await may(2, 'c-12')).toBe('not-permitted');
    clock.pass(2_000);
    expect(await may(2, 'c-12')).toBe('yes');
  });
});

describe('a channel belongs to one community', () => {
  test('the one whose members are the members of a public channel', async () => {
    const { may } = setUp();
    expect(await may(1, 'c-11', 2)).toBe('not-permitted');
    expect(await may(1, 'c-11', 1)).toBe('yes');
  });

  test('where several could be it, whoever wrote under one name cannot use another, nor decide for the others', async () => {
    const { may } = setUp();
    expect(await may(1, 'c-12', 2)).toBe('yes');
    expect(await may(1, 'c-12', 1)).toBe('not-permitted');
    expect(await may(2, 'c-12', 1)).toBe('yes');
    expect(await may(2, 'c-12', 2)).toBe('not-permitted');
    expect(await may(1, 'c-12', 3)).toBe('not-permitted');
  });

  test('once the others have said which, removal from a community that it is not of changes nothing', async () => {
    const directory = new StaleDirectory();
    directory.channels[12] = { members: [1, 2, 3], isPublic: false };
    const { may, lists, live } = setUp(directory);
    await may(1, 'c-12', 1);
    await may(3, 'c-12', 1);
    live.set('c-12', [1, 2]);
    await lists.replace('com-2', [1, 3, 4]);
    expect(live.get('c-12')).toEqual([1, 2]);
    await lists.replace('com-1', [1, 3]);
    expect(live.get('c-12')).toEqual([1]);
  });
});

describe('a voice channel', () => {
  test('that is private is open to its members, one that nobody knows to the community', async () => {
    const { membership } = setUp();
    const enter = async (user: number, channel: number, community: number) =>
      membership.requireVoice(caller(user), channel, community);
    await enter(1, 12, 1);
    await enter(3, 21, 1);
    await expect(enter(3, 12, 1)).rejects.toMatchObject({ code: 'not-permitted' });
    await expect(enter(5, 21, 1)).rejects.toMatchObject({ code: 'not-permitted' });
    await expect(enter(1, 11, 2)).rejects.toMatchObject({ code: 'not-permitted' });
  });
});

describe('while the directory is away', () => {
  test('what is kept decides, and what is not is refused with "try again"', async () => {
    const { directory, may, clock } = setUp();
    expect(await may(1, 'r-5')).toBe('yes');
    expect(await may(1, 'c-11')).toBe('yes');
    directory.isAway = true;
    clock.pass(120_000);
    expect(await may(1, 'r-5')).toBe('yes');
    expect(await may(9, 'r-5')).toBe('not-permitted');
    expect(await may(1, 'c-11')).toBe('yes');
    expect(await may(1, 'c-12')).toBe('try-again');
  });
});

describe('a private channel', () => {
  test('is read anew before its list is too old, and who is gone hears nothing more', async () => {
    const { directory, may, clock, live, membership } = setUp();
    membership.start();
    expect(await may(2, 'c-12')).toBe('yes');
    live.set('c-12', [2, 1]);
    directory.channels[12] = { members: [1], isPublic: false };
    for (let second = 0; second < 60; second++) {
      clock.pass(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(live.get('c-12')).toEqual([1]);
    expect(await may(2, 'c-12')).toBe('not-permitted');
    membership.stop();
  });
});
