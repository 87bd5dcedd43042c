import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

export interface UnreadCount {
  readonly place: ConversationKey;
  /** Messages of others since the reader's time; all of theirs for one who never looked. */
  readonly count: number;
  /** Time of the newest message (anybody's), milliseconds; null for none. */
  readonly newestTime: number | null;
  /** Newest number of the place, 0 for none. */
  readonly seq: number;
}

/** When each user last left or entered a place. One entry a place and user that only ever grows. */
export interface ReadMarkers {
  mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void>;
  /** In the order asked, one round of queries for all. */
  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]>;
}
