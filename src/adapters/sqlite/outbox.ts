import type { Outbox, UnpublishedBatch } from '../../application/ports/outbox.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SqliteDatabase } from './database.ts';

type BatchKey = { readonly place: ConversationKey; readonly first: number };

const FLUSH_MS = 500;
const FLUSH_BATCHES = 1000;

/** What was stored and not yet said to be published. Marks are written together, so that they cost no flush each. */
export class SqliteOutbox implements Outbox {
  readonly #db: SqliteDatabase;
  readonly #now: () => number;
  #marks: BatchKey[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(db: SqliteDatabase, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
    db.beforeClose(() => this.#flush());
  }

  published(batches: readonly BatchKey[]): void {
    for (const { place, first } of batches) this.#marks.push({ place, first });
    if (this.#marks.length >= FLUSH_BATCHES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  unpublished(olderThanMs: number, limit: number): Promise<UnpublishedBatch[]> {
    this.#flush();
    return this.#db.call('unpublished', this.#now() - olderThanMs, limit);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#marks.length === 0) return;
    const marks = this.#marks;
    this.#marks = [];
    // A mark that is lost means that a batch is published twice, which the port allows.
    this.#db.call('published', marks).catch(() => {});
  }
}
