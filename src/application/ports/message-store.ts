import type { HistoryEntry, HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft, SequencedEvent } from '../../domain/stored-event.ts';

/** Events of one place that are stored together, numbered `first`, `first + 1`, ... */
export interface AppendBatch {
  readonly place: ConversationKey;
  readonly first: number;
  /** At least one, in order. No two drafts of a user have the same nonce. */
  readonly drafts: readonly Draft[];
  /**
   * True if the drafts would be the same after any other events of the place. A store in which the
   * order of several servers meets may then store the batch behind newer events instead of
   * answering `conflict`.
   */
  readonly isMovable?: boolean;
  /**
   * For each draft its position in a trace, null for one that is not traced. Missing if none is. A
   * store that brings events to other servers itself passes the positions on. No store keeps them.
   */
  readonly traces?: readonly (string | null)[];
}

/**
 * The outcome of a batch as a whole:
 *
 * - `stored`: it is durable, and every read that begins from now on includes it. `first` is given
 *   where a movable batch got other numbers than it asked for.
 * - `conflict`: `first` is not the number after the newest of the place. Nothing was stored.
 * - `repeated`: a nonce of the batch was stored for the same user within the last 24 hours, in any
 *   place. Nothing was stored. `index` is the position of the draft; `event` is the event that was
 *   stored with the nonce.
 * - `failed`: the outcome is unknown. The batch may be stored and appear later. The error says why.
 */
export type AppendOutcome =
  | { readonly kind: 'stored'; readonly first?: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'repeated'; readonly index: number; readonly event: SequencedEvent }
  | { readonly kind: 'failed'; readonly error: Error };

export interface HistoryPage {
  /** Oldest first. No entry was created after event `seq`. */
  readonly entries: readonly HistoryEntry[];
  /**
   * Newest number of the place when the page was read, 0 if there is none. The page may show an
   * edit or a deletion with a greater number.
   */
  readonly seq: number;
}

/**
 * Stores the events of each place in a sequence and the messages that result from them. The numbers
 * of a sequence are 1, 2, 3, ... without a gap. Events become visible in the order of their
 * numbers.
 *
 * `append` decides the order among all servers. If several batches of a place have the same
 * `first`, exactly one of them is stored.
 *
 * If a place holds messages of an original server and no events yet, the first call of any method
 * numbers these messages. They become creating events 1 to n, ordered by time and id.
 *
 * An event of a kind that this version does not know has a number and nothing else. Its number
 * counts as a hole in pages and counts, and all methods go on past it.
 *
 * Events may be removed from the store, by a retention job or by hand. Their numbers stay given:
 * `newest` does not decrease, and no number is given twice. A repeat of a removed event's nonce is
 * stored as a new event. Only a restore of the whole store to an earlier moment, while no server
 * runs, takes numbers back.
 *
 * All methods except `append` reject with `Refusal`: `try-again` if the store does not answer in
 * time, `store-failed` if it refuses. `append` never rejects; it reports an outcome for each batch.
 */
export interface MessageStore {
  /**
   * Recommended minimum interval between small appends, in milliseconds. 0 means: append at once. A
   * longer interval gathers more events into one write.
   */
  readonly pace: number;
  /**
   * Stores all batches in one round trip, at most one batch for each place. Each batch is stored as
   * a whole or not at all, independently of the others. The outcomes are in the order of the
   * batches.
   *
   * Appending the same drafts again after `failed` is safe only for drafts with a nonce. In other
   * cases, find out with `newest` and `eventsAfter` whether the batch was stored. The ids of new
   * messages are unique.
   */
  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]>;
  /**
   * The newest number of each place, 0 for a place without events, in one round trip. It includes
   * everything that any server stored before the call.
   */
  newest(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>>;
  /**
   * The events after number `after` in the order of their numbers, at most `limit`. Only numbers of
   * removed events are missing between them. Where the newest event was removed, an `UnknownEvent`
   * with its number and `isRemoved` stands at the end.
   */
  eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]>;
  /** The messages with these ids that exist in the place now. */
  messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>>;
  history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage>;
  /**
   * The event that the user stored with this nonce within the last 24 hours, in any place. Null if
   * there is none.
   */
  byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null>;
  /** Waits for appends that are in progress. Reports later appends as `failed`. Idempotent. */
  close(): Promise<void>;
}
