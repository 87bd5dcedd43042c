import type { ReadPosition } from '../../application/ports/read-markers.ts';
import type { ExpiredPart, PlacesPart, StoredData } from '../../application/ports/stored-data.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Database } from './database.ts';

/** The stored data of a SQLite file, for jobs. */
export class SqliteStoredData implements StoredData {
  readonly #database: Database;

  constructor({ database }: { readonly database: Database }) {
    this.#database = database;
  }

  places(cursor: string | null, limit: number): Promise<PlacesPart> {
    return this.#database.call('places', cursor, limit);
  }

  expired(place: ConversationKey, after: number, before: number, limit: number): Promise<ExpiredPart> {
    return this.#database.call('expired', place, after, before, limit);
  }

  removeExpired(place: ConversationKey, { upTo }: ExpiredPart): Promise<void> {
    return this.#database.call('removeExpired', place, upTo);
  }

  expiredFiles(before: number, limit: number): Promise<readonly Message[]> {
    return this.#database.call('expiredFiles', before, limit);
  }

  countFiles(from: number, before: number): Promise<number> {
    return this.#database.call('countFiles', from, before);
  }

  messagesOf(
    userId: UserId,
    place: ConversationKey,
    after: MessageId | null,
    limit: number,
  ): Promise<readonly Message[]> {
    return this.#database.call('messagesOf', userId, place, after, limit);
  }

  eventsOf(userId: UserId, place: ConversationKey, from: number, to: number): Promise<readonly StoredEvent[]> {
    return this.#database.call('eventsOf', userId, place, from, to);
  }

  anonymiseEvents(userId: UserId, place: ConversationKey, from: number, to: number): Promise<void> {
    return this.#database.call('anonymiseEvents', userId, place, from, to);
  }

  anonymiseMessages(userId: UserId, place: ConversationKey, ids: readonly MessageId[]): Promise<void> {
    return this.#database.call('anonymiseMessages', userId, place, ids);
  }

  readingOf(userId: UserId, place: ConversationKey): Promise<ReadPosition | null> {
    return this.#database.call('readingOf', userId, place);
  }

  forgetReader(userId: UserId, place: ConversationKey): Promise<void> {
    return this.#database.call('forgetReader', userId, place);
  }
}
