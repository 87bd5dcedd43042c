import { type ChannelId, parseId, type RoomId } from './ids.ts';

/** The key of a direct room (`r-5`) or of a text channel (`c-11`): what has messages and a sequence of its own. */
export type ConversationKey = `r-${number}` | `c-${number}`;

export type Conversation =
  | { readonly kind: 'room'; readonly id: RoomId }
  | { readonly kind: 'channel'; readonly id: ChannelId };

export function roomKey(id: RoomId): ConversationKey {
  return `r-${id}`;
}

export function channelKey(id: ChannelId): ConversationKey {
  return `c-${id}`;
}

export function keyOf(conversation: Conversation): ConversationKey {
  return conversation.kind === 'room' ? roomKey(conversation.id) : channelKey(conversation.id);
}

/** Reads `r-5` or `c-11`; null for anything else. */
export function parseConversation(text: string): Conversation | null {
  const kind = text.startsWith('r-') ? 'room' : text.startsWith('c-') ? 'channel' : null;
  const id = kind === null ? null : parseId(text.slice(2));
  return kind === null || id === null ? null : { kind, id };
}

/** As {@link parseConversation}, when only the key is wanted. */
export function parseConversationKey(text: string): ConversationKey | null {
  return parseConversation(text) === null ? null : (text as ConversationKey);
}

/** True for a channel's key. The kind of a valid key is its first letter. */
export function isChannel(key: ConversationKey): boolean {
  return key.charCodeAt(0) === 99;
}

/** The number in a valid key: 5 of `r-5`. */
export function idOf(key: ConversationKey): number {
  return Number(key.slice(2));
}
