import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

export interface UnreadCount {
  readonly place: ConversationKey;
  /**
   * Messages of other users that are newer than the reader's marker. Without a marker: all of them.
   */
  readonly count: number;
  /**
   * Time of the newest message of any user, in milliseconds since 1970. Null if there is no
   * message.
   */
  readonly newestTime: number | null;
  /** Newest number of the place, 0 if there is none. */
  readonly seq: number;
}

/**
 * The time at which each user last entered or left each place. There is one marker for a user and a
 * place. It only moves forward, whichever server writes it.
 *
 * Both methods reject with `Refusal`: `try-again` if the store does not answer in time,
 * `store-failed` if it refuses.
 */
export interface ReadMarkers {
  /** Sets the markers to `time`, in milliseconds since 1970. A later marker stays as it is. */
  mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void>;
  /**
   * The counts in the order of `places`, by one round of queries for all of them. They include
   * every message that any server stored before the call.
   */
  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]>;
}
