import { type ChannelId, type CommunityId, parseId, type RoomId } from './ids.ts';

/** A direct-message room: `r-5`. */
export type RoomKey = `r-${number}`;
/** A text channel of a community: `c-11`. */
export type ChannelKey = `c-${number}`;
/** A community: `com-1`. */
export type CommunityKey = `com-${number}`;

/** A place with messages and its own sequence of events. */
export type ConversationKey = RoomKey | ChannelKey;

/**
 * A place with its own member list. The members of a channel are some or all members of its
 * community.
 */
export type MemberListKey = RoomKey | CommunityKey;

/**
 * A place where events are heard. The server uses no other spelling inside: adapters translate it
 * to STOMP destinations, cache keys and the texts of neighbour services.
 */
export type PlaceKey = ConversationKey | CommunityKey;

export function roomKey(id: RoomId): RoomKey {
  return `r-${id}`;
}

export function channelKey(id: ChannelId): ChannelKey {
  return `c-${id}`;
}

export function communityKey(id: CommunityId): CommunityKey {
  return `com-${id}`;
}

/** Reads `r-5`, `c-11` or `com-1`. Returns null for everything else. */
export function parsePlaceKey(text: string): PlaceKey | null {
  const dash = text.indexOf('-');
  const prefix = text.slice(0, dash);
  if (dash < 0 || (prefix !== 'r' && prefix !== 'c' && prefix !== 'com')) return null;
  return parseId(text.slice(dash + 1)) === null ? null : (text as PlaceKey);
}

/** Reads `r-5` or `c-11`. Returns null for everything else. */
export function parseConversationKey(text: string): ConversationKey | null {
  const key = parsePlaceKey(text);
  return key === null || isCommunity(key) ? null : key;
}

export function isRoom(key: PlaceKey): key is RoomKey {
  return key.startsWith('r');
}

export function isChannel(key: PlaceKey): key is ChannelKey {
  return key.startsWith('c-');
}

export function isCommunity(key: PlaceKey): key is CommunityKey {
  return key.startsWith('com');
}

/** The id in a key: 5 for `r-5`. */
export function idOf(key: PlaceKey): number {
  return Number(key.slice(key.indexOf('-') + 1));
}
