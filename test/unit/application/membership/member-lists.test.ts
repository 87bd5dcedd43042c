import { expect, it } from 'vitest';
import { LIST_STALENESS_MS, REPORT_STANDS_MS, settled, setUp } from './fixture.ts';

/** Ages at which lists are read again; the fixture's random number is always a half. */
const DUE_MS = LIST_STALENESS_MS * 0.5;
const CACHED_DUE_MS = LIST_STALENESS_MS * 0.0625;
const RETRY_MS = LIST_STALENESS_MS * 0.065;

it('takes a list from the shared cache without asking the directory', async () => {
  const { lists, cache, directory } = setUp();
  await cache.put('r-5', [7]);
  expect([...(await lists.get('r-5')).members]).toEqual([7]);
  expect(directory.asked).toEqual([]);
});

it('asks the directory for a list that the shared cache does not have, and adds the answer to the cache', async () => {
  const { lists, cache, directory } = setUp();
  expect([...(await lists.get('r-5')).members]).toEqual([1, 2, 3]);
  expect([...(await lists.get('com-3')).members]).toEqual([4, 5]);
  expect(directory.asked).toEqual(['room 5', 'community 3']);
  expect(await cache.get('r-5')).toEqual([1, 2, 3]);
  expect(await cache.get('com-3')).toEqual([4, 5]);
});

it('asks only once for callers that ask for the same list at the same time', async () => {
  const { lists, directory } = setUp();
  await Promise.all([lists.get('r-5'), lists.get('r-5'), lists.get('r-5')]);
  expect(directory.asked).toEqual(['room 5']);
});

it('returns a known list at once, without a promise', async () => {
  const { lists } = setUp();
  expect(lists.peek('r-5')).toBeUndefined();
  const list = await lists.get('r-5');
  expect(lists.get('r-5')).toBe(list);
  expect(lists.peek('r-5')).toBe(list);
});

it('refuses a room or community that the directory does not know, and says which', async () => {
  const { lists } = setUp();
  const refusal = { code: 'not-permitted', message: 'you are not a member of room 9' };
  await expect(lists.get('r-9')).rejects.toMatchObject(refusal);
  await expect(lists.get('com-9')).rejects.toMatchObject({ message: 'you are not a member of community 9' });
});

it('reads a list from the directory again when it is due, in the background', async () => {
  const { lists, directory, clock } = setUp();
  await lists.get('r-5');
  directory.rooms[5] = [1, 2];
  clock.pass(DUE_MS - 1);
  await lists.get('r-5');
  await settled();
  expect((await lists.get('r-5')).members.size).toBe(3);
  clock.pass(1);
  expect((await lists.get('r-5')).members.size).toBe(3);
  await settled();
  expect([...(await lists.get('r-5')).members]).toEqual([1, 2]);
});

it('measures the age of a list by the monotonic clock, so that a wall clock set back does not keep it fresh', async () => {
  const { lists, directory, clock } = setUp();
  await lists.get('r-5');
  directory.rooms[5] = [1, 2];
  clock.jump(-3_600_000);
  clock.pass(DUE_MS);
  await lists.get('r-5');
  await settled();
  expect([...(await lists.get('r-5')).members]).toEqual([1, 2]);
});

it('reads a list of the shared cache from the directory soon after its first use', async () => {
  const { lists, cache, clock } = setUp();
  await cache.add('r-5', [1, 9]);
  expect([...(await lists.get('r-5')).members]).toEqual([1, 9]);
  clock.pass(CACHED_DUE_MS);
  await lists.get('r-5');
  await settled();
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1, 2, 3]);
  expect(await cache.get('r-5')).toEqual([1, 2, 3]);
});

it('puts a mended list into the shared cache, where the other servers find it', async () => {
  const here = setUp();
  const there = setUp({ cache: here.cache, directory: here.directory, clock: here.clock });
  await here.lists.get('r-5');
  here.directory.rooms[5] = [1, 2];
  here.clock.pass(DUE_MS);
  here.lists.refresh('r-5');
  await settled();
  here.directory.asked = [];
  expect([...(await there.lists.get('r-5')).members]).toEqual([1, 2]);
  expect(here.directory.asked).toEqual([]);
});

it('reads the list of a place with subscribers that this server has dropped', async () => {
  const { lists, directory, join, subscribed } = setUp();
  join('r-5', 1, 9);
  lists.refresh('r-5');
  await settled();
  expect(directory.asked).toEqual(['room 5']);
  expect(subscribed('r-5')).toEqual([1]);
});

it('keeps a reported list although a directory answer with the members of before arrives later', async () => {
  const { lists, cache, directory } = setUp();
  const release = directory.hold();
  const reading = lists.get('r-5');
  await settled();
  await lists.replace('r-5', [1, 2]);
  release();
  expect([...(await reading).members]).toEqual([1, 2]);
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1, 2]);
  expect(await cache.get('r-5')).toEqual([1, 2]);
});

it('does not overwrite a list in the shared cache that another server put there while the directory was answering', async () => {
  const there = setUp();
  const here = setUp({ cache: there.cache });
  const release = there.directory.hold();
  const reading = there.lists.get('r-5');
  await settled();
  await here.lists.replace('r-5', [1, 2]);
  release();
  await reading;
  await settled();
  expect(await here.cache.get('r-5')).toEqual([1, 2]);
});

it('keeps a reported list although the background read that was under way brings the members of before', async () => {
  const { lists, cache, directory, clock } = setUp();
  await lists.get('r-5');
  clock.pass(DUE_MS);
  const release = directory.hold();
  await lists.get('r-5');
  await settled();
  await lists.replace('r-5', [1, 2]);
  release();
  await settled();
  expect(directory.asked).toEqual(['room 5', 'room 5']);
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1, 2]);
  expect(await cache.get('r-5')).toEqual([1, 2]);
});

it('does not put an answer into the cache that was under way when a report arrived', async () => {
  const { lists, cache, directory, clock } = setUp();
  await lists.get('r-5');
  clock.pass(DUE_MS);
  directory.rooms[5] = [1, 2, 9];
  const release = directory.hold();
  lists.refresh('r-5');
  await settled();
  lists.apply('r-5', [1, 2]);
  release();
  await settled();
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1, 2]);
  expect(await cache.get('r-5')).toEqual([1, 2, 3]);
});

it('lets a report win over the directory for 10 seconds, and the directory afterwards', async () => {
  const { lists, directory, clock } = setUp();
  lists.apply('r-5', [1, 2]);
  expect(() => lists.require(3, 'r-5')).toThrow('you are not a member of room 5');
  clock.pass(REPORT_STANDS_MS - 1);
  expect(() => lists.require(3, 'r-5')).toThrow('you are not a member of room 5');
  expect(directory.asked).toEqual([]);
  clock.pass(1);
  await lists.require(3, 'r-5');
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1, 2, 3]);
});

it('obeys a report that another server received and that did not arrive here', async () => {
  const there = setUp();
  const here = setUp({ cache: there.cache, directory: there.directory, clock: there.clock });
  await here.lists.get('r-5');
  here.join('r-5', 1, 3);
  there.clock.pass(DUE_MS);
  await there.lists.replace('r-5', [1, 2]);
  await expect(here.lists.require(9, 'r-5')).rejects.toMatchObject({ code: 'not-permitted' });
  expect([...(here.lists.peek('r-5')?.members ?? [])]).toEqual([1, 2]);
  expect(here.subscribed('r-5')).toEqual([1]);
  expect(await there.cache.get('r-5')).toEqual([1, 2]);
  expect(() => here.lists.require(3, 'r-5')).toThrow('you are not a member of room 5');
});

it('changes nothing when the directory cannot be reached, and tries again soon', async () => {
  const { lists, directory, clock, join, subscribed } = setUp();
  await lists.get('r-5');
  join('r-5', 1, 3);
  directory.rooms[5] = [1, 2];
  directory.isAway = true;
  clock.pass(DUE_MS);
  lists.refresh('r-5');
  await settled();
  expect(subscribed('r-5')).toEqual([1, 3]);
  directory.isAway = false;
  lists.refresh('r-5');
  await settled();
  expect(subscribed('r-5')).toEqual([1, 3]);
  clock.pass(RETRY_MS);
  lists.refresh('r-5');
  await settled();
  expect(subscribed('r-5')).toEqual([1]);
});

it('removes the members of a place that does not exist any more, once the directory has said so twice', async () => {
  const { lists, cache, directory, clock, join, subscribed } = setUp();
  await lists.get('r-5');
  join('r-5', 1, 3);
  delete directory.rooms[5];
  clock.pass(DUE_MS);
  lists.refresh('r-5');
  await settled();
  expect(subscribed('r-5')).toEqual([1, 3]);
  clock.pass(RETRY_MS);
  lists.refresh('r-5');
  await settled();
  expect(subscribed('r-5')).toEqual([]);
  expect(await cache.get('r-5')).toEqual([]);
});

it('forgets that the directory denied a place once it lists its members again', async () => {
  const { lists, directory, clock, join, subscribed } = setUp();
  await lists.get('r-5');
  join('r-5', 1);
  const answers = [undefined, [1, 2, 3], undefined];
  for (const answer of answers) {
    if (answer === undefined) delete directory.rooms[5];
    else directory.rooms[5] = answer;
    clock.pass(DUE_MS);
    lists.refresh('r-5');
    await settled();
  }
  expect(subscribed('r-5')).toEqual([1]);
});

it('looks a user up in the directory before it refuses them, although the list was read just now', async () => {
  const { lists, directory, telemetry } = setUp();
  await lists.get('r-5');
  directory.rooms[5] = [1, 2, 3, 4];
  await lists.require(4, 'r-5');
  expect(directory.asked).toEqual(['room 5', 'room 5']);
  expect(telemetry.counts.get('member_lists_mended')).toBe(1);
});

it('looks a user up who is not in the list of the shared cache', async () => {
  const { lists, cache, directory } = setUp();
  await cache.add('r-5', [1, 2]);
  await lists.require(3, 'r-5');
  expect(directory.asked).toEqual(['room 5']);
  expect(await cache.get('r-5')).toEqual([1, 2, 3]);
});

it('asks only once for a user who is not in a list that was just read for them', async () => {
  const { lists, directory } = setUp();
  await expect(lists.require(9, 'r-5')).rejects.toMatchObject({ code: 'not-permitted' });
  expect(directory.asked).toEqual(['room 5']);
});

it('looks a user up at most once in 2 seconds in one place', async () => {
  const { lists, directory, clock, telemetry } = setUp();
  const isIn = async () =>
    Promise.resolve(lists.require(4, 'r-5')).then(
      () => true,
      () => false,
    );
  await lists.get('r-5');
  expect(await isIn()).toBe(false);
  directory.rooms[5] = [1, 2, 3, 4];
  clock.pass(1_999);
  expect(await isIn()).toBe(false);
  expect(directory.asked).toHaveLength(2);
  expect(telemetry.counts.get('member_look_ups_limited')).toBe(1);
  clock.pass(1);
  expect(await isIn()).toBe(true);
});

it('makes at most 20 look-ups a minute for a user who fails in known places, and lets them into their own', async () => {
  const { lists, directory, clock } = setUp();
  for (let room = 100; room < 140; room += 1) {
    directory.rooms[room] = [1];
    await lists.get(`r-${room}`);
  }
  directory.asked = [];
  const refused = (room: number) => expect(lists.require(9, `r-${room}`)).rejects.toThrow(`room ${room}`);
  for (let room = 100; room < 140; room += 1) {
    await refused(room);
    clock.pass(1_000);
  }
  expect(directory.asked).toHaveLength(20);
  directory.rooms[200] = [9];
  await lists.require(9, 'r-200');
  clock.pass(60_000);
  directory.asked = [];
  await refused(139);
  expect(directory.asked).toEqual(['room 139']);
});

it('holds parallel look-ups of a user to the same limit', async () => {
  const { lists, directory } = setUp();
  const rooms = Array.from({ length: 40 }, (_, index) => 100 + index);
  for (const room of rooms) {
    directory.rooms[room] = [1];
    await lists.get(`r-${room}`);
  }
  directory.asked = [];
  const answers = await Promise.allSettled(rooms.map(async (room) => lists.require(9, `r-${room}`)));
  expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
  expect(directory.asked).toHaveLength(20);
});

it('does not count a directory that cannot be reached as a failure of the user', async () => {
  const { lists, directory, clock } = setUp();
  await lists.get('r-5');
  directory.isAway = true;
  for (let attempt = 0; attempt < 25; attempt += 1) {
    await expect(lists.require(4, 'r-5')).rejects.toMatchObject({ code: 'not-permitted' });
    clock.pass(2_000);
  }
  directory.isAway = false;
  directory.rooms[5] = [1, 2, 3, 4];
  await lists.require(4, 'r-5');
});

it('remembers that a place does not exist, so that guesses cost few questions', async () => {
  const { lists, cache, directory, clock } = setUp();
  const attempts: Promise<string>[] = [];
  for (let userId = 1; userId <= 1_000; userId += 1) {
    attempts.push((async () => lists.require(userId, 'r-9'))().then(() => 'in', String));
    clock.pass(1);
    await settled();
  }
  clock.pass(1_000);
  expect(new Set(await Promise.all(attempts))).toEqual(new Set(['Refusal: you are not a member of room 9']));
  // Five look-ups begin in a second; the users in between wait and share the next one.
  expect(directory.asked.length).toBeLessThan(12);
  expect(await cache.get('r-9')).toBeNull();
  directory.rooms[9] = [7];
  clock.pass(2_000);
  await lists.require(7, 'r-9');
});

it('asks for a place that does not exist again after 2 seconds', async () => {
  const { lists, directory, clock } = setUp();
  await expect(lists.get('r-9')).rejects.toMatchObject({ code: 'not-permitted' });
  directory.rooms[9] = [7];
  clock.pass(1_999);
  await expect(lists.get('r-9')).rejects.toMatchObject({ code: 'not-permitted' });
  clock.pass(1);
  expect([...(await lists.get('r-9')).members]).toEqual([7]);
  expect(directory.asked).toHaveLength(2);
});

it('tells a user who guesses unknown places to try again later, after 100 failures in a minute', async () => {
  const { lists, directory, clock } = setUp();
  const codes: string[] = [];
  for (let room = 1_000; room < 1_120; room += 1) {
    await Promise.resolve(lists.require(9, `r-${room}`)).catch(({ code }: { code: string }) => codes.push(code));
    clock.pass(100);
  }
  expect(codes.slice(0, 100).every((code) => code === 'not-permitted')).toBe(true);
  expect(codes.slice(100)).toEqual(Array(20).fill('try-again'));
  expect(directory.asked).toHaveLength(100);
});

it('lets 50 look-ups of all users fail in a second, and then decides by the known lists', async () => {
  const { lists, directory, clock } = setUp();
  const rooms = Array.from({ length: 300 }, (_, index) => 100 + index);
  for (const room of rooms) {
    directory.rooms[room] = [1];
    await lists.get(`r-${room}`);
  }
  directory.asked = [];
  const attempt = () => Promise.allSettled(rooms.map(async (room) => lists.require(room, `r-${room}`)));
  const answers = await attempt();
  expect(answers.every((answer) => answer.status === 'rejected' && answer.reason.code === 'not-permitted')).toBe(true);
  expect(directory.asked).toHaveLength(50);
  clock.pass(2_000);
  await attempt();
  expect(directory.asked).toHaveLength(100);
});

it('answers from a known list while the directory is away, and refuses an unknown one with "try-again"', async () => {
  const { lists, directory, clock, telemetry } = setUp();
  await lists.get('r-5');
  directory.isAway = true;
  clock.pass(DUE_MS);
  expect((await lists.get('r-5')).members.size).toBe(3);
  await settled();
  expect((await lists.get('r-5')).members.size).toBe(3);
  expect(directory.asked).toEqual(['room 5', 'room 5']);
  expect(telemetry.logs).toEqual([
    {
      level: 'debug',
      what: 'members not refreshed',
      fields: { place: 'r-5', error: expect.objectContaining({ message: 'the community service cannot be reached' }) },
    },
  ]);
  await expect(lists.get('com-1')).rejects.toMatchObject({ code: 'try-again' });
  directory.isAway = false;
  expect((await lists.get('com-1')).members.size).toBe(3);
});

it('decides by a list of the shared cache while the directory is away', async () => {
  const { lists, cache, directory } = setUp();
  await cache.add('r-5', [1, 2]);
  directory.isAway = true;
  await expect(lists.require(3, 'r-5')).rejects.toMatchObject({ code: 'not-permitted' });
  await lists.require(2, 'r-5');
});

it('puts a replaced list into the shared cache, where the other servers find it', async () => {
  const here = setUp();
  const there = setUp({ cache: here.cache });
  await here.lists.replace('com-1', [1, 2]);
  expect([...(await there.lists.get('com-1')).members]).toEqual([1, 2]);
  expect(there.directory.asked).toEqual([]);
});

it('ends the subscriptions of users who are not in a reported list', async () => {
  const { lists, join, subscribed } = setUp();
  join('r-5', 1, 2, 3);
  join('r-6', 3);
  lists.apply('r-5', [1, 2]);
  expect(subscribed('r-5')).toEqual([1, 2]);
  expect(subscribed('r-6')).toEqual([3]);
});

it('ends the subscriptions of users who are not in a list that was read again', async () => {
  const { lists, directory, clock, join, subscribed } = setUp();
  await lists.get('com-1');
  join('com-1', 1, 3);
  directory.communities[1] = [1, 2];
  clock.pass(DUE_MS);
  lists.refresh('com-1');
  await settled();
  expect(subscribed('com-1')).toEqual([1]);
});

it('calls its listeners for each change of a list, with the members from then on', () => {
  const { lists } = setUp();
  const changed: [string, number[]][] = [];
  lists.onChange((place, members) => changed.push([place, [...members]]));
  lists.apply('com-2', [1]);
  lists.apply('r-7', [1]);
  expect(changed).toEqual([
    ['com-2', [1]],
    ['r-7', [1]],
  ]);
});
