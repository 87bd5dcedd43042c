import type { AppendBatch, AppendOutcome, HistoryPage, MessageStore } from '../../application/ports/message-store.ts';
import type { HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import type { Database } from './database.ts';

export interface SqliteMessageStoreParts {
  readonly database: Database;
  /**
   * Milliseconds since 1970, for the age of nonces and of unpublished batches. Default: the wall
   * clock.
   */
  readonly now?: (() => number) | undefined;
  /** Called for each stored batch, before `append` resolves. Must not throw. */
  readonly onStored?: ((batch: AppendBatch, first: number) => void) | undefined;
}

/**
 * Events and messages in a SQLite file. `stored` means flushed to the disk. `close` leaves the
 * database open.
 */
export class SqliteMessageStore implements MessageStore {
  readonly pace = 0;
  readonly #database: Database;
  readonly #now: () => number;
  readonly #onStored: SqliteMessageStoreParts['onStored'];
  readonly #appends = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor({ database, now = Date.now, onStored }: SqliteMessageStoreParts) {
    this.#database = database;
    this.#onStored = onStored;
    this.#now = now;
  }

  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    if (this.#isClosed) return Promise.resolve(allFailed(batches, new Error('the store is closed')));
    const answered = this.#database.call('append', batches, this.#now());
    const append = (this.#onStored === undefined ? answered : this.#reported(batches, answered)).catch(
      (error: unknown) => allFailed(batches, error),
    );
    this.#appends.add(append);
    void append.then(() => this.#appends.delete(append));
    return append;
  }

  newest(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>> {
    return this.#database.call('newest', places);
  }

  eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    return this.#database.call('eventsAfter', place, after, limit);
  }

  messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>> {
    return this.#database.call('messages', place, ids);
  }

  history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage> {
    return this.#database.call('history', place, range);
  }

  byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null> {
    return this.#database.call('byNonce', userId, nonce, this.#now());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#appends);
  }

  async #reported(batches: readonly AppendBatch[], answered: Promise<AppendOutcome[]>): Promise<AppendOutcome[]> {
    const outcomes = await answered;
    for (const [i, batch] of batches.entries()) {
      const outcome = outcomes[i];
      if (outcome?.kind === 'stored') this.#onStored?.(batch, outcome.first ?? batch.first);
    }
    return outcomes;
  }
}

function allFailed(batches: readonly AppendBatch[], error: unknown): AppendOutcome[] {
  const cause = error instanceof Error ? error : new Error(String(error));
  return batches.map(() => ({ kind: 'failed', error: cause }));
}
