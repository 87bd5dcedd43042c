import { expect, it } from 'vitest';
import { ChannelHome } from '../../../../src/application/membership/channel-home.ts';
import { HomeFinder } from '../../../../src/application/membership/home-finder.ts';
import type { ChannelInfo } from '../../../../src/application/ports/room-directory.ts';
import { setUp } from './fixture.ts';

function setUpFinder() {
  const parts = setUp();
  return { ...parts, finder: new HomeFinder(parts) };
}

function channel(members: number[], more: Partial<ChannelInfo> = {}): ChannelInfo {
  return { id: 11, name: null, members, isPublic: false, communityId: null, ...more };
}

it('takes the community that the directory names, and asks nothing more', async () => {
  const { finder, directory } = setUpFinder();
  const home = await finder.find(channel([1, 2], { communityId: 9 }), 1, undefined);
  expect(home.candidates).toEqual([9]);
  expect(directory.asked).toEqual([]);
});

it("finds the communities of the asking user that contain all of the channel's members", async () => {
  const { finder } = setUpFinder();
  expect((await finder.find(channel([1, 2]), 1, undefined)).candidates).toEqual([1, 2]);
  expect((await finder.find(channel([3, 4]), 4, undefined)).candidates).toEqual([2]);
  expect((await finder.find(channel([1, 5]), 1, undefined)).candidates).toEqual([]);
});

it('finds for a private channel also a community that has further members', async () => {
  const { finder } = setUpFinder();
  expect((await finder.find(channel([1, 2, 3]), 1, undefined)).candidates).toEqual([1, 2]);
});

it('finds for a public channel the community that has no further members', async () => {
  const { finder } = setUpFinder();
  expect((await finder.find(channel([1, 2, 3], { isPublic: true }), 1, undefined)).candidates).toEqual([1]);
});

it('finds for a public channel all communities that contain its members if none has exactly those', async () => {
  const { finder } = setUpFinder();
  expect((await finder.find(channel([1, 2], { isPublic: true }), 1, undefined)).candidates).toEqual([1, 2]);
});

it("compares the channel with the directory's own list if a reported list lacks some of its members", async () => {
  const { finder, lists, directory } = setUpFinder();
  lists.apply('com-1', [1, 2]);
  const home = await finder.find(channel([1, 2, 3], { isPublic: true }), 1, undefined);
  expect(home.candidates).toEqual([1]);
  expect(directory.asked).toContain('community 1');
});

it("does not ask the directory about a community that lacks more than half of the channel's members", async () => {
  const { finder, lists, directory } = setUpFinder();
  lists.apply('com-1', [1]);
  const home = await finder.find(channel([1, 2, 3]), 1, undefined);
  expect(home.candidates).toEqual([2]);
  expect(directory.asked).not.toContain('community 1');
});

it('drops a candidate that does not contain all members any more, and searches no new ones', async () => {
  const { finder, directory } = setUpFinder();
  const known = new ChannelHome([1, 2]);
  const home = await finder.find(channel([1, 4]), 1, known);
  expect(home.candidates).toEqual([2]);
  expect(directory.asked).not.toContain('places of 1');
});

it('keeps its candidates if none of them fits any more', async () => {
  const { finder } = setUpFinder();
  expect((await finder.find(channel([1, 99]), 1, new ChannelHome([1, 2]))).candidates).toEqual([1, 2]);
});

it('keeps an only candidate without a question', async () => {
  const { finder, directory } = setUpFinder();
  const known = new ChannelHome([2]);
  expect(await finder.find(channel([1, 99]), 1, known)).toBe(known);
  expect(directory.asked).toEqual([]);
});

it('finds no candidate while the directory is away, keeps the votes and logs the channel', async () => {
  const { finder, directory, telemetry } = setUpFinder();
  const known = new ChannelHome([]);
  known.recordVote(7, 3);
  directory.isAway = true;
  const home = await finder.find(channel([1, 2]), 1, known);
  expect(home.candidates).toEqual([]);
  expect(home.mayBe(3)).toBe(true);
  expect(telemetry.logs.map(({ level, fields }) => [level, fields.channel])).toEqual([['debug', 11]]);
});
