import type { BatchKey, Outbox, UnpublishedBatch } from '../../application/ports/outbox.ts';
import type { Database } from './database.ts';

/** Marks are written after this time, in milliseconds, or as soon as this many are waiting. */
const FLUSH_MS = 500;
const FLUSH_MARKS = 1000;

export interface SqliteOutboxParts {
  readonly database: Database;
  /** Milliseconds since 1970, for the age of batches. Default: the wall clock. */
  readonly now?: (() => number) | undefined;
}

/**
 * Outbox in the table `outbox`. Marks are written together, so that they do not cost a flush each.
 */
export class SqliteOutbox implements Outbox {
  readonly #parts: SqliteOutboxParts;
  #marks: BatchKey[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: SqliteOutboxParts) {
    this.#parts = parts;
    parts.database.beforeClose(() => this.#flush());
  }

  published(batches: readonly BatchKey[]): void {
    for (const { place, first } of batches) this.#marks.push({ place, first });
    if (this.#marks.length >= FLUSH_MARKS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  unpublished(olderThanMs: number, limit: number): Promise<UnpublishedBatch[]> {
    this.#flush();
    const now = (this.#parts.now ?? Date.now)();
    return this.#parts.database.call('unpublished', now - olderThanMs, now, limit);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#marks.length === 0) return;
    const marks = this.#marks;
    this.#marks = [];
    // If a mark is lost, the batch is published twice. The port allows that.
    this.#parts.database.call('published', marks).catch(() => {});
  }
}
