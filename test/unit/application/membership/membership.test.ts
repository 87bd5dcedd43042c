import { expect, it } from 'vitest';
import { caller, STALENESS_MS, StaleDirectory, settled, setUp } from './fixture.ts';

it('lets the members of a room in, and refuses others with the name of the room', async () => {
  const { membership, may } = setUp();
  expect(await may(1, 'r-5')).toBe('yes');
  await expect(membership.require(caller(9), 'r-9')).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'you are not a member of room 9',
  });
  expect(() => membership.require(caller(9), 'r-5')).toThrow('you are not a member of room 5');
});

it('decides at once, without a promise, where the lists are known', async () => {
  const { membership, may } = setUp();
  await may(1, 'r-5');
  await may(1, 'c-11', 1);
  expect(membership.require(caller(1), 'r-5')).toBeUndefined();
  expect(membership.require(caller(1), 'c-11', 1)).toBeUndefined();
});

it('refuses a channel to users who are not in it or while it does not exist, with its name', async () => {
  const { membership, may } = setUp();
  expect(await may(3, 'c-11')).toBe('yes');
  await expect(membership.require(caller(1), 'c-99')).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'you are not a member of channel 99',
  });
  expect(() => membership.require(caller(4), 'c-11')).toThrow('you are not a member of channel 11');
});

it('keeps a removed user out of a room although the directory still lists them, however old the list grows', async () => {
  const { may, lists, clock } = setUp();
  expect(await may(3, 'r-5')).toBe('yes');
  await lists.replace('r-5', [1, 2]);
  expect(await may(3, 'r-5')).toBe('not-permitted');
  clock.pass(STALENESS_MS + 1);
  await may(3, 'r-5');
  await settled();
  expect(await may(3, 'r-5')).toBe('not-permitted');
  expect(await may(2, 'r-5')).toBe('yes');
});

it('keeps a removed user out on a server that only heard of the removal and shares no cache', async () => {
  const { may, lists, clock } = setUp();
  lists.apply('r-5', [1, 2]);
  clock.pass(STALENESS_MS + 1);
  await may(1, 'r-5');
  await settled();
  expect(await may(3, 'r-5')).toBe('not-permitted');
});

it("takes the channels of a community away from a removed user, although the directory does not name the channels' community", async () => {
  const { may, lists, join, subscribed } = setUp();
  expect(await may(3, 'c-11')).toBe('yes');
  join('c-11', 1, 2, 3);
  join('com-1', 1, 3);
  await lists.replace('com-1', [1, 2]);
  expect(subscribed('c-11')).toEqual([1, 2]);
  expect(subscribed('com-1')).toEqual([1]);
  expect(await may(3, 'c-11')).toBe('not-permitted');
  expect(await may(2, 'c-11')).toBe('yes');
});

it('keeps a removed user out of a channel on a server that has never asked for the channel', async () => {
  const { may, lists } = setUp();
  lists.apply('com-1', [1, 2]);
  expect(await may(3, 'c-11')).toBe('not-permitted');
  expect(await may(1, 'c-11')).toBe('yes');
});

it('keeps a removed user out of a channel on a server that was restarted', async () => {
  const restarted = setUp();
  await restarted.cache.put('com-1', [1, 2]);
  expect(await restarted.may(3, 'c-11')).toBe('not-permitted');
  expect(await restarted.may(1, 'c-11')).toBe('yes');
});

it('takes a private channel that may belong to several communities away from a user who was removed from one of them', async () => {
  const { may, lists, join, subscribed } = setUp();
  expect(await may(2, 'c-12')).toBe('yes');
  join('c-12', 1, 2);
  await lists.replace('com-1', [1, 3]);
  expect(subscribed('c-12')).toEqual([1]);
  expect(await may(2, 'c-12')).toBe('not-permitted');
});

it('gives a private channel back once the directory shows that it does not belong to the community that the user left', async () => {
  const { directory, may, lists, clock } = setUp();
  expect(await may(2, 'c-12')).toBe('yes');
  await lists.replace('com-1', [1, 3]);
  directory.communities[1] = [1, 3];
  expect(await may(2, 'c-12')).toBe('not-permitted');
  clock.pass(2_000);
  expect(await may(2, 'c-12')).toBe('yes');
});

it('accepts for a public channel only the community whose members are its members', async () => {
  const { membership, may } = setUp();
  await expect(membership.require(caller(1), 'c-11', 2)).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'channel 11 does not belong to community 2',
  });
  expect(await may(1, 'c-11', 1)).toBe('yes');
});

it('holds a user to the community they named first, and lets them decide nothing for other users', async () => {
  const { may } = setUp();
  expect(await may(1, 'c-12', 2)).toBe('yes');
  expect(await may(1, 'c-12', 1)).toBe('not-permitted');
  expect(await may(2, 'c-12', 1)).toBe('yes');
  expect(await may(2, 'c-12', 2)).toBe('not-permitted');
  expect(await may(1, 'c-12', 3)).toBe('not-permitted');
});

it('takes no vote of a user who is not a member of the community they name', async () => {
  const directory = new StaleDirectory();
  directory.channels[12] = { members: [1, 2, 9], isPublic: false };
  const { membership, may } = setUp({ directory });
  await expect(membership.require(caller(1), 'c-12', 3)).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'you are not a member of community 3',
  });
  expect(await may(1, 'c-12', 2)).toBe('yes');
});

it('ignores the removal from a community that is not the one the other users named for the channel', async () => {
  const directory = new StaleDirectory();
  directory.channels[12] = { members: [1, 2, 3], isPublic: false };
  const { may, lists, join, subscribed } = setUp({ directory });
  await may(1, 'c-12', 1);
  await may(3, 'c-12', 1);
  join('c-12', 1, 2);
  await lists.replace('com-2', [1, 3, 4]);
  expect(subscribed('c-12')).toEqual([1, 2]);
  await lists.replace('com-1', [1, 3]);
  expect(subscribed('c-12')).toEqual([1]);
});

it('opens a private voice channel to its members only', async () => {
  const { enterVoice } = setUp();
  await enterVoice(1, 12, 1);
  await expect(enterVoice(3, 12, 1)).rejects.toMatchObject({ message: 'you are not a member of channel 12' });
  await expect(enterVoice(1, 11, 2)).rejects.toMatchObject({ code: 'not-permitted' });
});

it('opens a voice channel that the directory does not know to the whole community, and to nobody else', async () => {
  const { enterVoice } = setUp();
  await enterVoice(3, 21, 1);
  await expect(enterVoice(5, 21, 1)).rejects.toMatchObject({ message: 'you are not a member of community 1' });
});

it('decides from the known lists while the directory is away, and refuses the rest with "try-again"', async () => {
  const { directory, may, clock } = setUp();
  expect(await may(1, 'r-5')).toBe('yes');
  expect(await may(1, 'c-11')).toBe('yes');
  directory.isAway = true;
  clock.pass(2 * STALENESS_MS);
  expect(await may(1, 'r-5')).toBe('yes');
  expect(await may(9, 'r-5')).toBe('not-permitted');
  expect(await may(1, 'c-11')).toBe('yes');
  expect(await may(1, 'c-12')).toBe('try-again');
});

it('reads a private channel again before its list is too old, and ends the subscription of a user who left', async () => {
  const { directory, may, clock, join, subscribed, membership } = setUp();
  membership.start();
  expect(await may(2, 'c-12')).toBe('yes');
  join('c-12', 2, 1);
  directory.channels[12] = { members: [1], isPublic: false };
  for (let second = 0; second < 60; second += 1) {
    clock.pass(1_000);
    await settled();
  }
  expect(subscribed('c-12')).toEqual([1]);
  expect(await may(2, 'c-12')).toBe('not-permitted');
  membership.stop();
});

it('reads the list of a room with subscribers again, and not that of a room without', async () => {
  const { cache, may, clock, join, subscribed, membership, lists } = setUp();
  membership.start();
  await may(1, 'r-5');
  await may(4, 'com-3');
  join('r-5', 1, 3);
  await cache.put('r-5', [1]);
  await cache.put('com-3', [4]);
  clock.pass(STALENESS_MS + 6_001);
  await settled();
  expect(subscribed('r-5')).toEqual([1]);
  expect(lists.peek('com-3')?.members.size).toBe(2);
  membership.stop();
  expect(clock.pending).toBe(0);
});

it('lists the members of a place as far as this server knows them', async () => {
  const { membership, may, lists } = setUp();
  expect(await membership.members('r-5')).toEqual(new Set([1, 2, 3]));
  expect(await membership.members('com-3')).toEqual(new Set([4, 5]));
  expect(await membership.members('c-11')).toEqual(new Set());
  await may(1, 'c-11');
  expect(await membership.members('c-11')).toEqual(new Set([1, 2, 3]));
  lists.apply('com-1', [1, 2]);
  expect(await membership.members('c-11')).toEqual(new Set([1, 2]));
});

it('knows the name of a channel once it has been read', async () => {
  const { membership, may } = setUp();
  expect(membership.channelName(11)).toBeNull();
  await may(1, 'c-11');
  expect(membership.channelName(11)).toBe('general');
});
