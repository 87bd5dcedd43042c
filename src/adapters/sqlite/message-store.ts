import type { AppendBatch, AppendOutcome, HistoryPage, MessageStore } from '../../application/ports/message-store.ts';
import type { HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import type { SqliteDatabase } from './database.ts';

/** Events and messages in a SQLite file. `stored` means flushed to the disk. `close` leaves the database itself open. */
export class SqliteMessageStore implements MessageStore {
  readonly pace = 0;
  readonly #db: SqliteDatabase;
  readonly #now: () => number;
  readonly #flights = new Set<Promise<unknown>>();
  #closed = false;

  /** `now` in milliseconds since 1970: what the age of nonces and of unpublished batches is measured by. */
  constructor(db: SqliteDatabase, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  async append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    if (this.#closed) return batches.map(() => ({ kind: 'failed', error: new Error('the store is closed') }));
    const flight = this.#db.call('append', batches, this.#now()).catch((error: unknown): AppendOutcome[] => {
      const cause = error instanceof Error ? error : new Error(String(error));
      return batches.map(() => ({ kind: 'failed', error: cause }));
    });
    this.#flights.add(flight);
    flight.finally(() => this.#flights.delete(flight));
    return flight;
  }

  newest(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>> {
    return this.#db.call('newest', places);
  }

  eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    return this.#db.call('eventsAfter', place, after, limit);
  }

  messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>> {
    return this.#db.call('messages', place, ids);
  }

  history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage> {
    return this.#db.call('history', place, range);
  }

  byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null> {
    return this.#db.call('byNonce', userId, nonce, this.#now());
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#flights);
  }
}
