import type { Outbox, UnpublishedBatch } from '../../application/ports/outbox.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { allStored, STORED_KIND_NAMES } from '../../domain/stored-event.ts';
import { answered, type MongoDatabase } from './database.ts';
import { readEvents } from './documents.ts';

/** What was stored and not yet said to be published, by a flag of its document. */
export class MongoOutbox implements Outbox {
  readonly #db: MongoDatabase;
  readonly #now: () => number;

  constructor(db: MongoDatabase, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  published(batches: readonly { readonly place: ConversationKey; readonly first: number }[]): void {
    this.#db.marks.published(batches);
  }

  async unpublished(olderThanMs: number, limit: number): Promise<UnpublishedBatch[]> {
    const filter = {
      out: true as const,
      at: { $lte: new Date(this.#now() - olderThanMs) },
      // Left out by the query, so that batches which this version can't publish take no place within the limit.
      e: { $not: { $elemMatch: { kind: { $nin: [...STORED_KIND_NAMES] } } } },
    };
    await this.#db.marks.flush();
    const found = this.#db.events.find(filter, { hint: 'unpublished' }).sort({ at: 1 }).limit(limit);
    const docs = await answered(found.toArray());
    return docs.flatMap((doc) => {
      const events = allStored(readEvents(doc));
      if (events === null) return [];
      this.#db.marks.stored(doc);
      return [{ place: doc.p, first: doc.f, events }];
    });
  }
}
