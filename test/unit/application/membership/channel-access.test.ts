import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/application/commands.ts';
import type { ChannelKey } from '../../../../src/domain/place.ts';
import { caller, REPORT_STANDS_MS, STALENESS_MS, settled, setUp } from './fixture.ts';

/** The directory is asked again about a user who is not in the list after this time. */
const MIN_LOOK_UP_MS = 2_000;

function askedAbout(asked: readonly string[], channel: number): string[] {
  return asked.filter((question) => question.startsWith(`channel ${channel} `));
}

it("asks the directory for a channel with the caller's own token", async () => {
  const { channels, directory } = setUp();
  const given: unknown[] = [];
  const ask = directory.channel.bind(directory);
  directory.channel = (id, user) => {
    given.push(user);
    return ask(id, user);
  };
  const channel = await channels.get(caller(2), 12);
  expect(channel).toMatchObject({ id: 12, name: 'general', members: new Set([1, 2]) });
  expect(given).toMatchObject([{ userId: 2, token: 'token-of-2' }]);
});

it('asks only once for questions of one user that come at the same time', async () => {
  const { channels, directory } = setUp();
  await Promise.all([channels.get(caller(1), 12), channels.get(caller(1), 12)]);
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 1']);
});

it('returns a recent channel at once to each of its members, without a promise', async () => {
  const { channels, directory, clock } = setUp();
  const channel = await channels.get(caller(1), 12);
  clock.pass(STALENESS_MS - 1);
  expect(channels.get(caller(2), 12)).toBe(channel);
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 1']);
});

it('reads a channel again before it is used when it is older than the allowed staleness', async () => {
  const { channels, directory, clock } = setUp();
  await channels.get(caller(1), 12);
  directory.channels[12] = { members: [1, 2, 4], isPublic: false };
  clock.pass(STALENESS_MS);
  expect((await channels.get(caller(1), 12))?.members).toEqual(new Set([1, 2, 4]));
});

it('reads a channel again for a user who is not in its list, although it was read just now', async () => {
  const { channels, directory } = setUp();
  await channels.get(caller(1), 12);
  directory.channels[12] = { members: [1, 2, 3], isPublic: false };
  expect((await channels.get(caller(3), 12))?.members).toEqual(new Set([1, 2, 3]));
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 1', 'channel 12 as 3']);
});

it('reads a channel at most once in 2 seconds for a user who is not in its list', async () => {
  const { channels, directory, clock } = setUp();
  const channel = await channels.get(caller(1), 12);
  await expect(channels.get(caller(3), 12)).rejects.toMatchObject({ code: 'not-permitted' });
  directory.channels[12] = { members: [1, 2, 3], isPublic: false };
  clock.pass(MIN_LOOK_UP_MS - 1);
  expect(await channels.get(caller(3), 12)).toBe(channel);
  clock.pass(1);
  expect((await channels.get(caller(3), 12))?.members).toEqual(new Set([1, 2, 3]));
});

it('reads a channel for its members who come at the same time a few times only', async () => {
  const { channels, directory } = setUp();
  const members = Array.from({ length: 500 }, (_, index) => 1 + index);
  directory.channels[12] = { members, isPublic: false, communityId: 1 };
  directory.communities[1] = members;
  const read = await Promise.all(members.map(async (userId) => channels.get(caller(userId), 12)));
  expect(read.every((channel) => channel?.members.size === 500)).toBe(true);
  expect(askedAbout(directory.asked, 12).length).toBeLessThanOrEqual(10);
});

it('lets 10 look-ups in one channel and 50 in all channels fail in a second', async () => {
  const { channels, directory, clock } = setUp();
  const attempt = (userId: number, id: number) => (async () => channels.get(caller(userId), id))().catch(() => null);
  for (let id = 100; id < 110; id += 1) {
    directory.channels[id] = { members: [1, 2], isPublic: false };
    await channels.get(caller(1), id);
  }
  directory.asked = [];
  await Promise.all(Array.from({ length: 300 }, (_, index) => attempt(1_000 + index, 100)));
  expect(askedAbout(directory.asked, 100)).toHaveLength(10);
  for (let id = 101; id < 110; id += 1) {
    await Promise.all(Array.from({ length: 300 }, (_, index) => attempt(1_000 + index, id)));
  }
  expect(directory.asked.filter((question) => question.startsWith('channel'))).toHaveLength(50);
  clock.pass(2_000);
  directory.channels[100] = { members: [1, 2, 3], isPublic: false };
  expect((await channels.get(caller(3), 100))?.members).toEqual(new Set([1, 2, 3]));
});

it("looks a user up in the list of the channel's community, which may be older than the channel", async () => {
  const { channels, cache, directory } = setUp();
  directory.channels[11] = { members: [1, 2, 3], isPublic: true, communityId: 1 };
  await cache.add('com-1', [1, 2]);
  await channels.get(caller(1), 11);
  const channel = await channels.get(caller(3), 11);
  expect(channel !== null && channels.contains(channel, 3)).toBe(true);
  expect(directory.asked).toContain('community 1');
});

it('lets a user whom a report adds to a community into its public channels at once', async () => {
  const { channels, lists, directory, membership } = setUp();
  await channels.get(caller(1), 11);
  directory.asked = [];
  lists.apply('com-1', [1, 2, 3, 7]);
  const channel = await channels.get(caller(7), 11);
  expect(channel !== null && channels.contains(channel, 7)).toBe(true);
  expect(directory.asked).toEqual([]);
  expect(await membership.members('c-11')).toEqual(new Set([1, 2, 3, 7]));
});

it('lets a user whom a report adds to a community into a private channel only if the channel lists them', async () => {
  const { channels, lists, directory } = setUp();
  await channels.get(caller(1), 12);
  lists.apply('com-1', [1, 2, 3, 7]);
  await expect(channels.get(caller(7), 12)).rejects.toMatchObject({ code: 'not-permitted' });
  directory.channels[12] = { members: [1, 2, 8], isPublic: false };
  lists.apply('com-1', [1, 2, 3, 8]);
  const channel = await channels.get(caller(8), 12);
  expect(channel?.members).toEqual(new Set([1, 2, 8]));
});

it('looks a user up in a private channel at once after a report added them, although they were refused just now', async () => {
  const { channels, lists, directory, clock } = setUp();
  const list = { isPublic: false, communityId: 1 };
  directory.channels[12] = { ...list, members: [1, 2] };
  await channels.get(caller(1), 12);
  await expect(channels.get(caller(7), 12)).rejects.toMatchObject({ code: 'not-permitted' });
  clock.pass(500);
  directory.channels[12] = { ...list, members: [1, 2, 7] };
  lists.apply('com-1', [1, 2, 3, 7]);
  const channel = await channels.get(caller(7), 12);
  expect(channel !== null && channels.contains(channel, 7)).toBe(true);
});

it('keeps an added user in a public channel while the directory has not heard of them for 10 seconds', async () => {
  const { channels, lists, clock, join, subscribed } = setUp();
  await channels.get(caller(1), 11);
  clock.pass(STALENESS_MS);
  lists.apply('com-1', [1, 2, 3, 7]);
  const channel = await channels.get(caller(7), 11);
  expect(channel !== null && channels.contains(channel, 7)).toBe(true);
  join('c-11', 7, 1);
  channels.refresh('c-11');
  await settled();
  expect(subscribed('c-11')).toEqual([7, 1]);
  clock.pass(REPORT_STANDS_MS);
  channels.refresh('c-11');
  await settled();
  clock.pass(STALENESS_MS);
  channels.refresh('c-11');
  await settled();
  expect(subscribed('c-11')).toEqual([1]);
});

it('decides by the list of a public channel once that was read 10 seconds after a report', async () => {
  const { channels, lists, directory, clock } = setUp();
  directory.channels[11] = { members: [1, 2], isPublic: true, communityId: 1 };
  lists.apply('com-1', [1, 2, 3]);
  clock.pass(REPORT_STANDS_MS - 1);
  const early = await channels.get(caller(1), 11);
  expect(early !== null && channels.contains(early, 3)).toBe(true);
  clock.pass(STALENESS_MS);
  const late = await channels.get(caller(1), 11);
  expect(late !== null && channels.contains(late, 3)).toBe(false);
});

it('does not take a member of another community that fits by chance for a member of a public channel', async () => {
  const { channels, lists, directory } = setUp();
  directory.communities = { 2: [1, 2, 3, 4] };
  await channels.get(caller(1), 11);
  lists.apply('com-2', [1, 2, 3, 4, 7]);
  await expect(channels.get(caller(7), 11)).rejects.toMatchObject({ code: 'not-permitted' });
});

it('asks about a channel that does not exist once in 2 seconds for each user, and remembers the answer', async () => {
  const { channels, directory } = setUp();
  expect(await channels.get(caller(1), 99)).toBeNull();
  expect(await channels.get(caller(1), 99)).toBeNull();
  expect(askedAbout(directory.asked, 99)).toHaveLength(1);
});

it('measures the age of a channel by the monotonic clock', async () => {
  const { channels, directory, clock } = setUp();
  await channels.get(caller(1), 12);
  clock.jump(-3_600_000);
  clock.pass(STALENESS_MS);
  await channels.get(caller(1), 12);
  expect(askedAbout(directory.asked, 12)).toHaveLength(2);
});

it('resolves to null for a channel that the directory does not know', async () => {
  const { channels } = setUp();
  expect(await channels.get(caller(1), 99)).toBeNull();
});

it('rejects with "not-permitted" for a user whom the directory refuses', async () => {
  const { channels } = setUp();
  await expect(channels.get(caller(4), 12)).rejects.toMatchObject({ code: 'not-permitted' });
});

it('returns the last known channel while the directory is away, and rejects an unknown one with "try-again"', async () => {
  const { channels, directory, clock } = setUp();
  const channel = await channels.get(caller(1), 12);
  directory.isAway = true;
  clock.pass(STALENESS_MS);
  expect(await channels.get(caller(1), 12)).toBe(channel);
  await expect(channels.get(caller(1), 11)).rejects.toMatchObject({ code: 'try-again' });
});

it("contains a listed user until the list of the channel's community lacks them", async () => {
  const { channels, lists } = setUp();
  const channel = await channels.get(caller(1), 11);
  if (channel === null) throw new Error('no channel');
  expect([2, 9].map((user) => channels.contains(channel, user))).toEqual([true, false]);
  lists.apply('com-1', [1, 3]);
  expect(channels.contains(channel, 2)).toBe(false);
});

it("reads the list of the channel's community together with the channel", async () => {
  const { channels, cache, directory } = setUp();
  directory.channels[11] = { members: [1, 2, 3], isPublic: true, communityId: 1 };
  await cache.put('com-1', [1, 2]);
  const channel = await channels.get(caller(1), 11);
  if (channel === null) throw new Error('no channel');
  expect([2, 3].map((user) => channels.contains(channel, user))).toEqual([true, false]);
});

it('ends the subscriptions of users who are not in a list that was read again', async () => {
  const { channels, directory, clock, join, subscribed } = setUp();
  await channels.get(caller(1), 12);
  join('c-12', 1, 2);
  directory.channels[12] = { members: [1], isPublic: false };
  clock.pass(STALENESS_MS);
  await channels.get(caller(1), 12);
  expect(subscribed('c-12')).toEqual([1]);
});

it("ends subscriptions to the channels of a community when its list changes, and to no other community's", async () => {
  const { channels, lists, directory, join, subscribed } = setUp();
  directory.channels[11] = { members: [1, 2], isPublic: true, communityId: 1 };
  directory.channels[21] = { members: [1, 2], isPublic: true, communityId: 2 };
  await channels.get(caller(1), 11);
  await channels.get(caller(1), 21);
  join('c-11', 1, 2);
  join('c-21', 1, 2);
  lists.apply('com-1', [1]);
  expect(subscribed('c-11')).toEqual([1]);
  expect(subscribed('c-21')).toEqual([1, 2]);
});

/**
 * A server that knows channel 12, with subscribers of it, at the age at which the channel is due to
 * be read again.
 */
async function setUpDue(...subscribers: readonly Caller[]) {
  const parts = setUp();
  await parts.channels.get(caller(1), 12);
  for (const subscriber of subscribers) parts.subscribers.join(subscriber, 'c-12');
  parts.directory.asked = [];
  parts.clock.pass(STALENESS_MS * 0.7 + 1);
  const refresh = async (place: ChannelKey = 'c-12'): Promise<void> => {
    parts.channels.refresh(place);
    await settled();
  };
  return { ...parts, refresh };
}

it("refreshes a channel with a subscriber's token before its list is too old", async () => {
  const { directory, channels, refresh } = await setUpDue(caller(2), caller(1));
  directory.channels[12] = { members: [1, 2, 3], isPublic: false };
  await refresh();
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 2']);
  expect(channels.peek(12)?.members).toEqual(new Set([1, 2, 3]));
  await refresh();
  await refresh('c-99');
  expect(askedAbout(directory.asked, 12)).toHaveLength(1);
});

it('removes a subscriber whom the directory refuses, and refreshes the channel with the token of the next one', async () => {
  const { directory, channels, refresh, subscribed } = await setUpDue(caller(2), caller(2), caller(1));
  directory.channels[12] = { members: [1], isPublic: false };
  await refresh();
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 2', 'channel 12 as 1']);
  expect(subscribed('c-12')).toEqual([1]);
  expect(channels.peek(12)?.members).toEqual(new Set([1]));
});

it('removes all subscribers of a channel that does not exist any more', async () => {
  const { directory, channels, refresh, subscribed } = await setUpDue(caller(2), caller(1));
  delete directory.channels[12];
  await refresh();
  expect(subscribed('c-12')).toEqual([]);
  expect(channels.peek(12)?.members).toEqual(new Set());
});

it('does not use a token that has expired', async () => {
  const expired = setUp().clock.now();
  const { directory, refresh } = await setUpDue(caller(2, expired), caller(1));
  await refresh();
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 1']);
});

it('tries the tokens of at most 20 subscribers', async () => {
  const strangers = Array.from({ length: 25 }, (_, index) => caller(100 + index));
  const { directory, refresh, subscribed } = await setUpDue(...strangers);
  await refresh();
  expect(askedAbout(directory.asked, 12)).toHaveLength(20);
  expect(subscribed('c-12')).toHaveLength(5);
});

it('removes nobody and tries no further token while the directory is away', async () => {
  const { directory, refresh, subscribed } = await setUpDue(caller(2), caller(1));
  directory.isAway = true;
  await refresh();
  expect(askedAbout(directory.asked, 12)).toEqual(['channel 12 as 2']);
  expect(subscribed('c-12')).toEqual([2, 1]);
});

it('refreshes a channel by one attempt at a time', async () => {
  const { directory, refresh } = await setUpDue(caller(1));
  const release = directory.hold();
  await refresh();
  await refresh();
  release();
  await settled();
  expect(askedAbout(directory.asked, 12)).toHaveLength(1);
});
