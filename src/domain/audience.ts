import { type ConversationKey, idOf, isChannel, parseConversationKey } from './conversation.ts';
import { type CommunityId, parseId } from './ids.ts';

export type Destination = string;

export function conversationTopic(key: ConversationKey): Destination {
  return isChannel(key) ? `/topic/group/${idOf(key)}` : `/topic/direct/${idOf(key)}`;
}

export function communityTopic(id: CommunityId): Destination {
  return `/topic/community/${id}`;
}

/** What a destination is about. */
export type Topic =
  | { readonly kind: 'conversation'; readonly key: ConversationKey }
  | { readonly kind: 'community'; readonly id: CommunityId };

/** Reads exactly `/topic/direct/5`, `/topic/group/11` or `/topic/community/1`; null for anything else, patterns among them. */
export function parseTopic(destination: Destination): Topic | null {
  const [empty, root, kind, text, more] = destination.split('/', 5);
  if (empty !== '' || root !== 'topic' || text === undefined || more !== undefined) return null;
  const id = parseId(text);
  if (id === null) return null;
  switch (kind) {
    case 'direct':
      return { kind: 'conversation', key: `r-${id}` };
    case 'group':
      return { kind: 'conversation', key: `c-${id}` };
    case 'community':
      return { kind: 'community', id };
    default:
      return null;
  }
}

/** `community/1` and `direct/5`, as the community service lists a user's places, to destinations; what is neither is left out. */
export function presenceDestinations(topics: readonly string[]): Destination[] {
  return topics.map((topic) => `/topic/${topic}`).filter((destination) => parseTopic(destination) !== null);
}

/**
 * Reads a place of the additional reads: `r-5`, `c-11` or `com-1`.
 */
export function parseTopicKey(text: string): Topic | null {
  const key = parseConversationKey(text);
  if (key !== null) return { kind: 'conversation', key };
  const id = text.startsWith('com-') ? parseId(text.slice(4)) : null;
  return id === null ? null : { kind: 'community', id };
}
