import type { Collection, ObjectId } from 'mongodb';
import { BoundedMap } from '../../application/bounded-map.ts';
import type { BatchKey } from '../../application/ports/outbox.ts';
import type { EventDocument } from './documents.ts';

/** Marks are written after this time, in milliseconds, or as soon as this many are waiting. */
const FLUSH_MS = 500;
const FLUSH_MARKS = 1000;
/**
 * Document ids of unpublished batches. A batch beyond this limit is found by its place and number.
 */
const MAX_IDS = 50_000;

/**
 * Batches that are on the bus and whose documents still have the mark `out`. The projection removes
 * the mark in its own update where it can. The other marks are removed after a short time, many at
 * once.
 */
export class PublishedMarks {
  readonly #events: Collection<EventDocument>;
  readonly #ids = new BoundedMap<string, ObjectId>(MAX_IDS);
  /** Published batches with a known document. */
  readonly #ready = new Map<string, ObjectId>();
  /** Published batches whose document is not known. */
  #unknown: BatchKey[] = [];
  #timer: NodeJS.Timeout | null = null;
  #write: Promise<void> = Promise.resolve();

  constructor(events: Collection<EventDocument>) {
    this.#events = events;
  }

  /** Remembers the document of a batch. */
  stored(doc: Pick<EventDocument, '_id' | 'p' | 'f'>): void {
    this.#ids.set(`${doc.p}/${doc.f}`, doc._id);
  }

  published(batches: readonly BatchKey[]): void {
    for (const { place, first } of batches) {
      const key = `${place}/${first}`;
      const id = this.#ids.get(key);
      this.#ids.delete(key);
      if (id === undefined) this.#unknown.push({ place, first });
      else this.#ready.set(id.toHexString(), id);
    }
    if (this.#ready.size + this.#unknown.length >= FLUSH_MARKS) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  isPublished(id: ObjectId): boolean {
    return this.#ready.size > 0 && this.#ready.has(id.toHexString());
  }

  /** Forgets marks that somebody else has removed from the documents. */
  written(ids: readonly ObjectId[]): void {
    for (const id of ids) this.#ready.delete(id.toHexString());
  }

  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#write = this.#write.then(() => this.#writeAll());
    return this.#write;
  }

  close(): Promise<void> {
    return this.flush();
  }

  /**
   * Is not repeated after an error: then the batches are published twice, which the port allows.
   */
  async #writeAll(): Promise<void> {
    const ids = [...this.#ready.values()];
    const unknown = this.#unknown;
    this.#ready.clear();
    this.#unknown = [];
    try {
      const unmark = { $unset: { out: '' } } as const;
      const options = { writeConcern: { w: 1 } };
      if (ids.length > 0) await this.#events.updateMany({ _id: { $in: ids } }, unmark, options);
      const updates = unknown.map(({ place, first }) => ({
        updateOne: { filter: { p: place, f: first }, update: unmark },
      }));
      if (updates.length > 0) await this.#events.bulkWrite(updates, { ordered: false, ...options });
    } catch {
      // The outbox will list these batches again.
    }
  }
}
