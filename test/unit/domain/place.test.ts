import { expect, it } from 'vitest';
import {
  channelKey,
  communityKey,
  idOf,
  isChannel,
  isCommunity,
  isRoom,
  type PlaceKey,
  parseConversationKey,
  parsePlaceKey,
  roomKey,
} from '../../../src/domain/place.ts';

it('spells a room, a channel and a community in three ways that cannot be confused', () => {
  expect([roomKey(5), channelKey(5), communityKey(5)]).toEqual(['r-5', 'c-5', 'com-5']);
});

it.each([
  ['r-5', 'room', 5],
  ['c-11', 'channel', 11],
  ['com-1', 'community', 1],
  ['c-9007199254740991', 'channel', Number.MAX_SAFE_INTEGER],
] as const)('reads %s as a %s with its id', (text, kind, id) => {
  const key = parsePlaceKey(text) as PlaceKey;
  expect(key).toBe(text);
  expect(idOf(key)).toBe(id);
  expect({ room: isRoom(key), channel: isChannel(key), community: isCommunity(key) }).toEqual({
    room: kind === 'room',
    channel: kind === 'channel',
    community: kind === 'community',
  });
});

it.each([
  '',
  '-',
  'r',
  'r5',
  'r-',
  'r-0',
  'r-05',
  'r--5',
  'r-5 ',
  'R-5',
  'x-5',
  'room-5',
  'co-5',
  'comm-5',
  'c-11-1',
  '-5',
])('refuses %o as a place', (text) => {
  expect(parsePlaceKey(text)).toBeNull();
  expect(parseConversationKey(text)).toBeNull();
});

it('reads rooms and channels as conversations, but no community', () => {
  expect(parseConversationKey('r-5')).toBe('r-5');
  expect(parseConversationKey('c-11')).toBe('c-11');
  expect(parseConversationKey('com-1')).toBeNull();
});
