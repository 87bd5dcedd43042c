import type { Collection, ObjectId } from 'mongodb';
import type { ConversationKey } from '../../domain/place.ts';
import type { EventDocument } from './documents.ts';

const FLUSH_MS = 500;
const FLUSH_BATCHES = 1000;
/** Batches whose publishing is awaited; beyond it the oldest are looked up by place when their time comes. */
const REMEMBERED = 50_000;

type BatchKey = { readonly place: ConversationKey; readonly first: number };

/**
 * Batches that are known to be on the bus and whose documents do not say so yet. The projection takes what it can along in the update
 * it makes anyway; the rest is written after a while, many at a time.
 */
export class PublishedMarks {
  readonly #events: Collection<EventDocument>;
  readonly #ids = new Map<string, ObjectId>();
  readonly #ready = new Map<string, ObjectId>();
  #unknown: BatchKey[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flight: Promise<void> = Promise.resolve();

  constructor(events: Collection<EventDocument>) {
    this.#events = events;
  }

  /** Remembers which document a batch is. */
  stored(doc: Pick<EventDocument, '_id' | 'p' | 'f'>): void {
    this.#ids.set(`${doc.p}/${doc.f}`, doc._id);
    if (this.#ids.size <= REMEMBERED) return;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      return;
    }
  }

  published(batches: readonly BatchKey[]): void {
    for (const { place, first } of batches) {
      const key = `${place}/${first}`;
      const id = this.#ids.get(key);
      this.#ids.delete(key);
      if (id === undefined) this.#unknown.push({ place, first });
      else this.#ready.set(id.toHexString(), id);
    }
    if (this.#ready.size + this.#unknown.length >= FLUSH_BATCHES) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  isPublished(id: ObjectId): boolean {
    return this.#ready.size > 0 && this.#ready.has(id.toHexString());
  }

  /** These documents say so now. */
  written(ids: readonly ObjectId[]): void {
    for (const id of ids) this.#ready.delete(id.toHexString());
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flight = this.#flight.then(() => this.#write());
    return this.#flight;
  }

  close(): Promise<void> {
    return this.flush();
  }

  /** A mark that is lost means that a batch is published twice, which is allowed: nobody waits for this write or retries it. */
  async #write(): Promise<void> {
    const ids = [...this.#ready.values()];
    const unknown = this.#unknown;
    this.#ready.clear();
    this.#unknown = [];
    try {
      const unmark = { $unset: { out: '' } } as const;
      const lightly = { writeConcern: { w: 1 } };
      if (ids.length > 0) await this.#events.updateMany({ _id: { $in: ids } }, unmark, lightly);
      const updates = unknown.map(({ place, first }) => ({
        updateOne: { filter: { p: place, f: first }, update: unmark },
      }));
      if (updates.length > 0) await this.#events.bulkWrite(updates, { ordered: false, ...lightly });
    } catch {
      // It comes up again as unpublished.
    }
  }
}
