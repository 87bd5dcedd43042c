import { expect, it } from 'vitest';
import { caller, LIST_STALENESS_MS, STALENESS_MS, StaleDirectory, settled, setUp } from './fixture.ts';

it('lets the members of a room in, and refuses others with the name of the room', async () => {
  const { membership, may } = setUp();
  expect(await may(1, 'r-5')).toBe('yes');
  await expect(membership.require(caller(9), 'r-9')).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'you are not a member of room 9',
  });
  await expect(membership.require(caller(9), 'r-5')).rejects.toThrow('you are not a member of room 5');
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
  await expect(membership.require(caller(4), 'c-11')).rejects.toThrow('you are not a member of channel 11');
});

it('keeps a removed user out of a room for 10 seconds although the directory still lists them', async () => {
  const { directory, may, lists, clock } = setUp();
  expect(await may(3, 'r-5')).toBe('yes');
  await lists.replace('r-5', [1, 2]);
  for (let second = 0; second < 10; second += 1) {
    expect(await may(3, 'r-5')).toBe('not-permitted');
    clock.pass(999);
  }
  expect(directory.asked).toEqual(['room 5']);
  expect(await may(2, 'r-5')).toBe('yes');
});

it('keeps a removed user out of a room for good once the directory does not list them', async () => {
  const { directory, may, lists, clock } = setUp();
  await lists.replace('r-5', [1, 2]);
  clock.pass(9_000);
  directory.rooms[5] = [1, 2];
  expect(await may(3, 'r-5')).toBe('not-permitted');
  clock.pass(LIST_STALENESS_MS);
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
  expect(await may(2, 'c-12')).toBe('not-permitted');
  directory.communities[1] = [1, 3];
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
  const { directory, may, clock, join, subscribed, membership, lists } = setUp();
  membership.start();
  await may(1, 'r-5');
  await may(4, 'com-3');
  join('r-5', 1, 3);
  directory.rooms[5] = [1];
  directory.communities[3] = [4];
  clock.pass(LIST_STALENESS_MS);
  await settled();
  expect(subscribed('r-5')).toEqual([1]);
  expect(lists.peek('com-3')?.members.size).toBe(2);
  membership.stop();
  expect(clock.pending).toBe(0);
  directory.asked = [];
  lists.refresh('r-6');
  await settled();
  expect(directory.asked).toEqual([]);
});

it.each([
  ['soon', 0],
  ['late', 0.999],
])(
  'ends every subscription of a user within 4 minutes whom the directory alone removed, where reads come %s',
  async (_, at) => {
    const directory = new StaleDirectory();
    directory.channels[12] = { members: [1, 2, 3], isPublic: false };
    const first = setUp({ directory, random: () => at });
    // The second server takes the lists from the shared cache.
    const second = setUp({ directory, random: () => at, cache: first.cache, clock: first.clock });
    const places = ['r-5', 'com-1', 'c-11', 'c-12'] as const;
    for (const server of [first, second]) {
      server.membership.start();
      for (const place of places) expect(await server.may(3, place)).toBe('yes');
      for (const place of places) server.join(place, 3, 1);
    }
    await first.lists.replace('r-5', [1, 2, 3]);
    second.lists.apply('r-5', [1, 2, 3]);
    directory.rooms[5] = [1, 2];
    directory.communities[1] = [1, 2];
    directory.channels[11] = { members: [1, 2], isPublic: true };
    directory.channels[12] = { members: [1, 2], isPublic: false };
    for (let passed = 0; passed < LIST_STALENESS_MS; passed += 1_000) {
      first.clock.pass(1_000);
      await settled();
    }
    for (const server of [first, second]) {
      for (const place of places) {
        expect([place, server.subscribed(place)]).toEqual([place, [1]]);
        expect(await server.may(3, place)).toBe('not-permitted');
      }
      server.membership.stop();
    }
    expect(await first.cache.get('r-5')).toEqual([1, 2]);
  },
);

const seeded = () => {
  let seed = 1;
  return () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
};

it.each([
  ['at different moments', seeded()],
  ['all at one late moment', () => 0.999],
])('reads 2,000 subscribed lists within 4 minutes at a limited rate, where they are due %s', async (_, random) => {
  const directory = new StaleDirectory();
  const { clock, lists, join, membership } = setUp({ directory, random });
  membership.start();
  const rooms = Array.from({ length: 2_000 }, (_, index) => 1_000 + index);
  for (const room of rooms) {
    directory.rooms[room] = [1];
    await lists.get(`r-${room}`);
    join(`r-${room}`, 1);
  }
  directory.asked = [];
  const perSecond: number[] = [];
  for (let second = 0; second < LIST_STALENESS_MS / 1000; second += 1) {
    const before = directory.asked.length;
    for (let step = 0; step < 4; step += 1) {
      clock.pass(250);
      await settled();
    }
    perSecond.push(directory.asked.length - before);
  }
  expect(new Set(directory.asked).size).toBe(2_000);
  expect(Math.max(...perSecond)).toBeLessThan(50);
  membership.stop();
});

it('lets a member in at the first try whom the directory alone added, in a room, community and channel', async () => {
  const directory = new StaleDirectory();
  const { may, clock } = setUp({ directory });
  const places = ['r-5', 'com-1', 'c-11', 'c-12'] as const;
  for (const place of places) expect(await may(1, place)).toBe('yes');
  directory.rooms[5] = [1, 2, 3, 7];
  directory.communities[1] = [1, 2, 3, 7];
  directory.channels[11] = { members: [1, 2, 3, 7], isPublic: true };
  directory.channels[12] = { members: [1, 2, 7], isPublic: false };
  for (const place of places) expect([place, await may(7, place)]).toEqual([place, 'yes']);
  expect(await may(7, 'c-11', 1)).toBe('yes');
  expect(clock.monotonic()).toBe(0);
});

it('asks the directory a limited number of times for ten thousand users who try places that are not theirs', async () => {
  const directory = new StaleDirectory();
  const { may, clock } = setUp({ directory });
  const places = ['r-5', 'com-1', 'c-11', 'c-12', 'r-77'] as const;
  for (const place of places) await may(1, place);
  directory.asked = [];
  const SECONDS = 10;
  const outcomes = new Set<string>();
  for (const place of places) {
    const attempts: Promise<unknown>[] = [];
    const began = directory.asked.length;
    for (let second = 0; second < SECONDS; second += 1) {
      for (let user = 0; user < 10_000 / SECONDS; user += 1) {
        attempts.push(may(10_000 + second * 1_000 + user, place).then((outcome) => outcomes.add(outcome)));
      }
      await settled();
      clock.pass(1_000);
      await settled();
    }
    clock.pass(1_000);
    await Promise.all(attempts);
    // 5 a second in a room or community, 10 a second in a channel.
    expect(directory.asked.length - began).toBeLessThanOrEqual(10 * (SECONDS + 1));
  }
  expect(outcomes).toEqual(new Set(['not-permitted']));
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
