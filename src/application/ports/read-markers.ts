import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

export interface UnreadCount {
  readonly place: ConversationKey;
  /**
   * Messages of other users that the reader has not read. Without a marker: all of them.
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

/** How far a user has read in a place. */
export interface ReadPosition {
  readonly place: ConversationKey;
  /** The number up to which they have read. */
  readonly seq: number;
}

/**
 * How far each user has read in each place: one number for a user and a place. It only moves
 * forward, whichever server writes it. No clock decides which messages are unread.
 *
 * A store that is shared with original servers keeps their read times too, and writes a time for
 * them. A time that an original server wrote counts beside the number: of the two, the one with
 * fewer unread messages decides.
 *
 * All methods reject with `Refusal`: `try-again` if the store does not answer in time,
 * `store-failed` if it refuses.
 */
export interface ReadMarkers {
  /**
   * The user has read everything that is stored in the places at the time of the call. Resolves to
   * the positions afterwards, each place once.
   * @param time for original servers, in milliseconds since 1970
   */
  mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<ReadPosition[]>;
  /**
   * The user has read the place up to `seq`, or up to the newest number if that is smaller.
   * Resolves to the position afterwards, which may be further.
   */
  markUpTo(userId: UserId, place: ConversationKey, seq: number): Promise<number>;
  /**
   * The counts in the order of `places`, by one round of queries for all of them. They include
   * every message that any server stored before the call.
   */
  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]>;
}
