import { expect, it } from 'vitest';
import { MemoryMemberCache } from '../../../../src/adapters/memory/member-cache.ts';
import { settled, setUp } from './fixture.ts';

/** Lists younger than this are used without asking anybody. */
const FRESH_MS = 60_000;

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

it('reads a list that is older than 60 seconds again, in the background', async () => {
  const { lists, cache, clock } = setUp();
  await lists.get('r-5');
  await cache.put('r-5', [1, 2]);
  clock.pass(FRESH_MS);
  expect((await lists.get('r-5')).members.size).toBe(3);
  await settled();
  expect((await lists.get('r-5')).members.size).toBe(3);
  clock.pass(1);
  expect((await lists.get('r-5')).members.size).toBe(3);
  await settled();
  expect([...(await lists.get('r-5')).members]).toEqual([1, 2]);
});

it('measures the age of a list by the monotonic clock, so that a wall clock set back does not keep it fresh', async () => {
  const { lists, cache, clock } = setUp();
  await lists.get('r-5');
  await cache.put('r-5', [1, 2]);
  clock.jump(-3_600_000);
  clock.pass(FRESH_MS + 1);
  await lists.get('r-5');
  await settled();
  expect([...(await lists.get('r-5')).members]).toEqual([1, 2]);
});

it('reads an old list again on request, and does nothing for a list that it does not know', async () => {
  const { lists, cache, clock, directory } = setUp();
  await lists.get('r-5');
  await cache.put('r-5', [1]);
  clock.pass(FRESH_MS + 1);
  lists.refresh('r-5');
  lists.refresh('r-6');
  await settled();
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1]);
  expect(directory.asked).toEqual(['room 5']);
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
  const { lists, cache, directory, clock } = setUp({ cache: new MemoryMemberCache({ maxIds: 1 }) });
  await lists.get('r-5');
  expect(await cache.get('r-5')).toBeNull();
  clock.pass(FRESH_MS + 1);
  const release = directory.hold();
  await lists.get('r-5');
  await settled();
  lists.apply('r-5', [1, 2]);
  release();
  await settled();
  expect(directory.asked).toEqual(['room 5', 'room 5']);
  expect([...(lists.peek('r-5')?.members ?? [])]).toEqual([1, 2]);
});

it('never asks the directory about a reported list again, only the shared cache', async () => {
  const { lists, cache, directory, clock } = setUp();
  lists.apply('r-5', [1, 2]);
  clock.pass(FRESH_MS + 1);
  await lists.get('r-5');
  await settled();
  expect([...(await lists.get('r-5')).members]).toEqual([1, 2]);
  await cache.put('r-5', [1]);
  clock.pass(FRESH_MS + 1);
  await lists.get('r-5');
  await settled();
  expect([...(await lists.get('r-5')).members]).toEqual([1]);
  expect(directory.asked).toEqual([]);
});

it('answers from a known list while the directory is away, and refuses an unknown one with "try-again"', async () => {
  const { lists, directory, clock, cache, telemetry } = setUp({ cache: new MemoryMemberCache({ maxIds: 1 }) });
  await lists.get('r-5');
  expect(await cache.get('r-5')).toBeNull();
  directory.isAway = true;
  clock.pass(FRESH_MS + 1);
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
  const { lists, cache, clock, join, subscribed } = setUp();
  await lists.get('com-1');
  join('com-1', 1, 3);
  await cache.put('com-1', [1, 2]);
  clock.pass(FRESH_MS + 1);
  lists.refresh('com-1');
  await settled();
  expect(subscribed('com-1')).toEqual([1]);
});

it('calls its listeners for a change of a community, not for a change of a room', () => {
  const { lists } = setUp();
  const changed: number[] = [];
  lists.onCommunityChange((id) => changed.push(id));
  lists.apply('com-2', [1]);
  lists.apply('r-7', [1]);
  expect(changed).toEqual([2]);
});
