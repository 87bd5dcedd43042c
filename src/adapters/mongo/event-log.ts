import type { StoredEvent } from '../../domain/chat-event.ts';
import type { ConversationKey } from '../../domain/conversation.ts';
import type { MongoDatabase } from './database.ts';
import { type EventDocument, type HoleDocument, readEvents } from './documents.ts';
import { PLACE_FIRST } from './indexes.ts';

const KNOWN_PLACES = 50_000;

/** Where a place stands. */
export interface Position {
  readonly newest: number;
  /** Batches are not in the message collections yet. */
  readonly behind: boolean;
  /** Messages of an original server have to be numbered first. */
  readonly unfinished: boolean;
  readonly holes: HoleDocument | undefined;
}

/** Reads the chain of batches: each place's documents, each beginning where the one before ended. */
export class EventLog {
  readonly #db: MongoDatabase;
  /** The newest end of a batch that was seen of each place; the longest unused come first. */
  readonly #ends = new Map<ConversationKey, number>();

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  /** The newest end known of a place without asking, undefined for nothing. */
  knownEnd(place: ConversationKey): number | undefined {
    return this.#ends.get(place);
  }

  learn(place: ConversationKey, end: number): void {
    const known = this.#ends.get(place) ?? 0;
    this.#ends.delete(place);
    this.#ends.set(place, Math.max(known, end));
    if (this.#ends.size <= KNOWN_PLACES) return;
    for (const oldest of this.#ends.keys()) {
      this.#ends.delete(oldest);
      return;
    }
  }

  /** The last batch of each place that has one: an index seek a place. */
  async lastBatches(
    places: readonly ConversationKey[],
  ): Promise<Map<ConversationKey, Pick<EventDocument, 'l' | 'more'>>> {
    const [only] = places;
    if (only !== undefined && places.length === 1) {
      const options = { hint: PLACE_FIRST, sort: { f: -1 }, projection: { _id: 0, l: 1, more: 1 } } as const;
      const last = await this.#db.events.findOne({ p: only }, options);
      if (last !== null) this.learn(only, last.l);
      return new Map(last === null ? [] : [[only, last]]);
    }
    const rows = await this.#db.events
      .aggregate<{ _id: ConversationKey; l: number; more?: true }>(
        [
          { $match: { p: { $in: [...places] } } },
          { $sort: { p: 1, f: -1 } },
          { $group: { _id: '$p', l: { $first: '$l' }, more: { $first: '$more' } } },
        ],
        { hint: PLACE_FIRST, batchSize: 1000 },
      )
      .toArray();
    for (const { _id, l } of rows) this.learn(_id, l);
    return new Map(rows.map((row) => [row._id, row]));
  }

  /** Which of these places have batches that are not projected. */
  async behind(places: readonly ConversationKey[]): Promise<boolean> {
    const filter = { p: { $in: [...places] }, proj: true as const };
    return (await this.#db.events.findOne(filter, { hint: 'unprojected', projection: { _id: 1 } })) !== null;
  }

  /** All in one round trip; `holes` only when asked for. */
  async position(place: ConversationKey, withHoles: boolean): Promise<Position> {
    const holes = { coll: this.#db.holes.collectionName, pipeline: [{ $match: { _id: place } }] };
    // The newest is read first, within one answer: whatever is unprojected up to it shows in what is read second.
    const rows = await this.#db.events
      .aggregate<{ l?: number; more?: true; behind?: true } & Partial<HoleDocument>>(
        [
          { $match: { p: place } },
          { $sort: { p: 1, f: -1 } },
          { $limit: 1 },
          { $project: { _id: 0, l: 1, more: 1 } },
          {
            $unionWith: {
              coll: this.#db.events.collectionName,
              pipeline: [
                { $match: { p: place, proj: true } },
                { $limit: 1 },
                { $project: { _id: 0, behind: { $literal: true } } },
              ],
            },
          },
          ...(withHoles ? [{ $unionWith: holes }] : []),
        ],
        { hint: PLACE_FIRST },
      )
      .toArray();
    const last = rows.find((row) => row.l !== undefined);
    if (last?.l !== undefined) this.learn(place, last.l);
    return {
      newest: last?.l ?? 0,
      behind: rows.some((row) => row.behind),
      unfinished: last === undefined || last.more === true,
      holes: rows.find((row): row is HoleDocument => row.t !== undefined),
    };
  }

  async eventsAfter(place: ConversationKey, after: number, limit: number): Promise<StoredEvent[]> {
    const next = after + 1;
    const projection = { _id: 0, p: 1, f: 1, l: 1, e: 1 };
    const following = this.#db.events
      .find({ p: place, f: { $gt: next } }, { hint: PLACE_FIRST, projection, batchSize: Math.min(limit, 100) })
      .sort({ f: 1 })
      .limit(limit);
    try {
      const [containing] = await Promise.all([this.#from(place, next, limit), following.hasNext()]);
      const events: StoredEvent[] = [];
      const take = (batch: Batch): void => {
        this.learn(place, batch.l);
        events.push(...readEvents(batch).slice(0, limit - events.length));
      };
      if (containing !== undefined) take(containing);
      while (events.length < limit && (await following.hasNext())) {
        const batch = await following.next();
        // The two reads are no single look: a batch may have come between them.
        if (batch?.f !== next + events.length) break;
        take(batch);
      }
      return events;
    } finally {
      await following.close();
    }
  }

  /** The batch that holds number `next`, cut to what begins there; undefined where there is none. */
  async #from(place: ConversationKey, next: number, limit: number): Promise<Batch | undefined> {
    const [batch] = await this.#db.events
      .aggregate<Batch>(
        [
          { $match: { p: place, f: { $lte: next } } },
          { $sort: { p: 1, f: -1 } },
          { $limit: 1 },
          { $match: { l: { $gte: next } } },
          {
            $project: {
              _id: 0,
              p: 1,
              l: 1,
              f: { $literal: next },
              e: { $slice: ['$e', { $subtract: [next, '$f'] }, limit] },
            },
          },
        ],
        { hint: PLACE_FIRST },
      )
      .toArray();
    return batch;
  }
}

type Batch = Pick<EventDocument, 'p' | 'f' | 'l' | 'e'>;
