import type { HistoryEntry, HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Draft, SequencedEvent } from '../../domain/stored-event.ts';

/** Events of one place that are stored together, numbered `first`, `first + 1`, ... */
export interface AppendBatch {
  readonly place: ConversationKey;
  readonly first: number;
  /** At least one, in order; no nonce twice (per user). */
  readonly drafts: readonly Draft[];
}

/**
 * What became of a batch, always as a whole:
 * - `stored`: durable, and visible to every read that begins from now on
 * - `conflict`: `first` is not the number after the place's newest; nothing was stored
 * - `repeated`: a user's nonce was stored within the last 24 hours, here or elsewhere; nothing was stored. `index` is the draft's, `event` what the first one became.
 * - `failed`: nothing is known for certain; it may be stored and appear later. The error says why.
 */
export type AppendOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'repeated'; readonly index: number; readonly event: SequencedEvent }
  | { readonly kind: 'failed'; readonly error: Error };

export interface HistoryPage {
  /** Oldest first. None is newer than `seq`. */
  readonly entries: readonly HistoryEntry[];
  /** Newest number of the place when the page was read, 0 for none. Events after it are not in the page (edits may show early). */
  readonly seq: number;
}

/**
 * Keeps what was said: for each place a sequence of events (1, 2, 3, ... dense, in the order in which they became visible) and the
 * messages that result from them.
 *
 * `append` decides the order among all servers: of two batches of one place with the same `first` exactly one is stored.
 * A place that holds messages of an original server and no events yet is numbered when it is first touched by any method: created events 1 to n by time and
 * id. All methods reject with `Refusal('try-again')` when the store does not answer within its bound, except `append`, which tells each batch's fate.
 */
export interface MessageStore {
  /** Milliseconds from one small append to the next that spare more, by what they let gather, than they cost in waiting; 0 where an append costs little by itself. */
  readonly pace: number;
  /**
   * Stores all batches in one round trip; at most one batch a place. Each batch is atomic, batches are independent of each other. Applying the same
   * drafts again after `failed` is safe with regard to nonces only; resolve doubt with `newest` and `eventsAfter` (message ids of creating events are unique).
   */
  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]>;
  /** The newest number of each place, 0 where nothing was said. One round trip for all. Includes everything that was `stored` before the call on any server. */
  newest(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>>;
  /** Events `after + 1`, ... in order without a gap, at most `limit`. */
  eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]>;
  /** Those of the messages that exist in that place now. */
  messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>>;
  history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage>;
  /** What the user's nonce became within the last 24 hours, wherever it was stored; null for nothing. */
  byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null>;
  /** Waits for what is under way, then lets go. Idempotent. */
  close(): Promise<void>;
}
