import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { ReadPosition } from './read-markers.ts';

/** A part of the list of all places. */
export interface PlacesPart {
  /** May be empty although more places follow. */
  readonly places: readonly ConversationKey[];
  /** For the next part; null after the last one. */
  readonly next: string | null;
}

/** The oldest events and messages of a place that are too old. */
export interface ExpiredPart {
  /** All events and messages with numbers up to this are too old. 0 if there are none. */
  readonly upTo: number;
  /** Events up to `upTo`. */
  readonly events: number;
  /** Messages up to `upTo`, and those without a number that are too old. */
  readonly messages: number;
  /** Files of these messages in the file store. */
  readonly files: readonly string[];
}

/**
 * The whole stored data, for jobs that remove or list them. The store answers no other call more
 * slowly for it: each method does a bounded piece of work in one transaction, or without one.
 * Calling a method again after it failed, or after a crash, continues the work.
 *
 * Removed numbers become holes for pages and counts in the transaction that removes them. `newest`
 * of the message store does not decrease.
 *
 * All methods reject with `Refusal`: `try-again` if the store does not answer in time,
 * `store-failed` if it refuses.
 */
export interface StoredData {
  /**
   * Places with events, messages or read positions. A place may be listed twice.
   * @param cursor `next` of the part before; null: from the start
   */
  places(cursor: string | null, limit: number): Promise<PlacesPart>;
  /**
   * The part of the place behind number `after` as far as all of it was created before `before`, in
   * milliseconds since 1970. It reads about `limit` events and changes nothing. Messages without a
   * number belong to the part behind 0.
   */
  expired(place: ConversationKey, after: number, before: number, limit: number): Promise<ExpiredPart>;
  /**
   * Removes the part: its events and messages, the edits of these messages under any number, and
   * the copies of their texts in replies.
   */
  removeExpired(place: ConversationKey, part: ExpiredPart, before: number): Promise<void>;
  /** Messages with files of any place that were created before `before`, oldest first. */
  expiredFiles(before: number, limit: number): Promise<readonly Message[]>;
  /** The number of messages with files that were created from `from` on and before `before`. */
  countFiles(from: number, before: number): Promise<number>;
  /**
   * Messages of a user in a place, in the order of their ids.
   * @param after id of the last message before; null: from the start
   */
  messagesOf(
    userId: UserId,
    place: ConversationKey,
    after: MessageId | null,
    limit: number,
  ): Promise<readonly Message[]>;
  /** Events of a user with numbers from `from` to `to`, both included. */
  eventsOf(userId: UserId, place: ConversationKey, from: number, to: number): Promise<readonly StoredEvent[]>;
  /**
   * Takes the user out of the events with numbers from `from` to `to`: `withoutAuthor`. An event of
   * an unknown kind loses the same fields.
   */
  anonymiseEvents(userId: UserId, place: ConversationKey, from: number, to: number): Promise<void>;
  /**
   * Takes the user out of these messages, and their name out of the replies to them. Messages of
   * other users stay as they are.
   */
  anonymiseMessages(userId: UserId, place: ConversationKey, ids: readonly MessageId[]): Promise<void>;
  /** How far the user has read in the place; null if nothing is stored of it. */
  readingOf(userId: UserId, place: ConversationKey): Promise<ReadPosition | null>;
  /** Removes the user's read position and nonces in the place. */
  forgetReader(userId: UserId, place: ConversationKey): Promise<void>;
}
