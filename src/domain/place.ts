import { type ConversationKey, parseConversation, parseConversationKey } from './conversation.ts';
import { type ChannelId, type CommunityId, parseId } from './ids.ts';

/**
 * Where a user looks: nothing open (`home`), a room or text channel (`r-5`, `c-11`), or a voice channel of a community
 * (`com1,c-11`). The texts are those of the presence protocol.
 */
export type Place =
  | { readonly kind: 'home' }
  | { readonly kind: 'conversation'; readonly key: ConversationKey }
  | { readonly kind: 'voice'; readonly communityId: CommunityId; readonly channelId: ChannelId };

const HOME: Place = { kind: 'home' };

/** Reads a place; null where the text is none (`null` and the empty text among them). */
export function parsePlace(text: string): Place | null {
  if (text === 'home') return HOME;
  const key = parseConversationKey(text);
  if (key !== null) return { kind: 'conversation', key };
  if (!text.startsWith('com')) return null;
  const comma = text.indexOf(',');
  const communityId = parseId(text.slice(3, comma));
  const channel = parseConversation(text.slice(comma + 1));
  if (comma < 0 || communityId === null || channel?.kind !== 'channel') return null;
  return { kind: 'voice', communityId, channelId: channel.id };
}

export function placeText(place: Place): string {
  switch (place.kind) {
    case 'home':
      return 'home';
    case 'conversation':
      return place.key;
    case 'voice':
      return `com${place.communityId},c-${place.channelId}`;
  }
}
