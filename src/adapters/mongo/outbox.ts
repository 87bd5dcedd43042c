import type { BatchKey, Outbox, UnpublishedBatch } from '../../application/ports/outbox.ts';
import { allStored, STORED_KIND_NAMES } from '../../domain/stored-event.ts';
import { answered, type MongoDatabase } from './database.ts';
import { readEvents } from './documents.ts';
import { UNPUBLISHED } from './indexes.ts';

export interface MongoOutboxParts {
  readonly db: MongoDatabase;
  /** Milliseconds since 1970, for the age of batches. Default: the clock of MongoDB. */
  readonly now?: (() => number) | undefined;
}

/** Outbox by the mark `out` in the documents of batches. */
export class MongoOutbox implements Outbox {
  readonly #parts: MongoOutboxParts;

  constructor(parts: MongoOutboxParts) {
    this.#parts = parts;
  }

  published(batches: readonly BatchKey[]): void {
    this.#parts.db.marks.published(batches);
  }

  async unpublished(olderThanMs: number, limit: number): Promise<UnpublishedBatch[]> {
    const { db, now = () => db.clock.now() } = this.#parts;
    const filter = {
      out: true as const,
      at: { $lte: new Date(now() - olderThanMs) },
      // The query leaves out batches with unknown kinds, so that they do not use up the limit.
      e: { $not: { $elemMatch: { kind: { $nin: [...STORED_KIND_NAMES] } } } },
    };
    await db.marks.flush();
    const found = db.events.find(filter, { hint: UNPUBLISHED }).sort({ at: 1 }).limit(limit);
    const docs = await answered(found.toArray());
    return docs.flatMap((doc) => {
      const events = allStored(readEvents(doc));
      if (events === null) return [];
      db.marks.stored(doc);
      return [{ place: doc.p, first: doc.f, events }];
    });
  }
}
