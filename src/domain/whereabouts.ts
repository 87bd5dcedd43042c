import { type ChannelId, type CommunityId, parseId } from './ids.ts';
import { type ConversationKey, idOf, isChannel, parseConversationKey } from './place.ts';

/**
 * The place where a user looks: none (`home`), a room or text channel (`r-5`, `c-11`), or a voice
 * channel of a community (`com1,c-11`). The texts are those of the presence protocol.
 */
export type Whereabouts =
  | { readonly kind: 'home' }
  | { readonly kind: 'conversation'; readonly key: ConversationKey }
  | { readonly kind: 'voice'; readonly communityId: CommunityId; readonly channelId: ChannelId };

const HOME: Whereabouts = { kind: 'home' };

/**
 * Reads one of these texts. Returns null for any other text, also for the text `null` and the empty
 * text.
 */
export function parseWhereabouts(text: string): Whereabouts | null {
  if (text === 'home') return HOME;
  const key = parseConversationKey(text);
  if (key !== null) return { kind: 'conversation', key };
  if (!text.startsWith('com')) return null;
  const comma = text.indexOf(',');
  if (comma < 0) return null;
  const communityId = parseId(text.slice(3, comma));
  const channel = parseConversationKey(text.slice(comma + 1));
  if (communityId === null || channel === null || !isChannel(channel)) return null;
  return { kind: 'voice', communityId, channelId: idOf(channel) };
}

/** The text that `parseWhereabouts` reads. */
export function whereaboutsText(whereabouts: Whereabouts): string {
  switch (whereabouts.kind) {
    case 'home':
      return 'home';
    case 'conversation':
      return whereabouts.key;
    case 'voice':
      return `com${whereabouts.communityId},c-${whereabouts.channelId}`;
  }
}
