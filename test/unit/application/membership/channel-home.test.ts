import { expect, it } from 'vitest';
import { ChannelHome } from '../../../../src/application/membership/channel-home.ts';

it('accepts only the community that the directory named', () => {
  const home = new ChannelHome([1]);
  expect(home.accepts(7, 1)).toBe(true);
  expect(home.accepts(7, 2)).toBe(false);
});

it('accepts each of several candidates as a first vote, and no other community', () => {
  const home = new ChannelHome([1, 2]);
  expect([1, 2, 3].map((community) => home.accepts(7, community))).toEqual([true, true, false]);
});

it('accepts any community as a first vote while no candidate is known', () => {
  expect(new ChannelHome([]).accepts(7, 3)).toBe(true);
});

it('holds a user to their first vote', () => {
  const home = new ChannelHome([1, 2]);
  home.recordVote(7, 2);
  home.recordVote(7, 1);
  expect(home.accepts(7, 2)).toBe(true);
  expect(home.accepts(7, 1)).toBe(false);
});

it('lets a vote of one user decide nothing for another user', () => {
  const home = new ChannelHome([1, 2]);
  home.recordVote(7, 2);
  expect(home.accepts(8, 1)).toBe(true);
});

it('does not accept a community from a new voter if another has more votes even with theirs', () => {
  const home = new ChannelHome([1, 2]);
  home.recordVote(7, 1);
  home.recordVote(8, 1);
  expect(home.accepts(9, 2)).toBe(false);
  expect(home.accepts(9, 1)).toBe(true);
});

it('requires membership of every candidate while there is no vote or a tie', () => {
  const home = new ChannelHome([1, 2]);
  expect(home.requiredOf(7)).toEqual([1, 2]);
  home.recordVote(8, 1);
  home.recordVote(9, 2);
  expect(home.requiredOf(7)).toEqual([1, 2]);
});

it('requires membership of the community with the most votes of other users', () => {
  const home = new ChannelHome([1, 2]);
  home.recordVote(8, 2);
  expect(home.requiredOf(7)).toEqual([2]);
  expect(home.requiredOf(8)).toEqual([1, 2]);
});

it('requires membership of the only candidate whatever the votes are', () => {
  const several = new ChannelHome([1, 2]);
  several.recordVote(8, 2);
  expect(new ChannelHome([1], several).requiredOf(7)).toEqual([1]);
});

it('requires no community while nothing is known of the channel', () => {
  expect(new ChannelHome([]).requiredOf(7)).toEqual([]);
});

it('a channel may belong to a candidate or to a community that a user voted for', () => {
  const home = new ChannelHome([]);
  home.recordVote(7, 3);
  expect(home.mayBe(3)).toBe(true);
  expect(home.mayBe(4)).toBe(false);
  expect(new ChannelHome([1, 4], home).mayBe(4)).toBe(true);
});

it('keeps the votes when the candidates change, and counts only those for a candidate', () => {
  const before = new ChannelHome([1, 2, 3]);
  before.recordVote(7, 3);
  before.recordVote(8, 2);
  const home = new ChannelHome([1, 2], before);
  expect(home.requiredOf(9)).toEqual([2]);
  expect(home.accepts(7, 1)).toBe(true);
});

it('records no vote where the directory named the community', () => {
  const named = new ChannelHome([1]);
  named.recordVote(7, 1);
  expect(new ChannelHome([1, 2], named).requiredOf(9)).toEqual([1, 2]);
});

it('keeps the votes of 64 users and no more', () => {
  const home = new ChannelHome([1, 2]);
  for (let user = 1; user <= 64; user += 1) home.recordVote(user, (user % 2) + 1);
  home.recordVote(65, 1);
  expect(home.requiredOf(99)).toEqual([1, 2]);
});
