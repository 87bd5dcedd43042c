import type { ConversationKey, PlaceKey } from './place.ts';

/**
 * An event for one user. It is sent to the connections on which the user listens to such events.
 *
 * - `added`, `left`: the user is a member of the place now, or no longer
 * - `unread`: something new came to a place of the user. `count` messages are unread there.
 * - `read`: the user has read the place up to the number `seq`, in another session
 */
export type PersonalEvent =
  | { readonly kind: 'added' | 'left'; readonly place: PlaceKey }
  | { readonly kind: 'unread'; readonly place: ConversationKey; readonly count: number; readonly seq: number }
  | { readonly kind: 'read'; readonly place: ConversationKey; readonly seq: number };
