import { BoundedMap } from '../../application/bounded-map.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import type { MongoDatabase } from './database.ts';
import { type EventDocument, readEvents } from './documents.ts';
import { PLACE_FIRST, UNPROJECTED } from './indexes.ts';

const MAX_PLACES = 50_000;

type Batch = Pick<EventDocument, 'p' | 'f' | 'l' | 'e' | 'removed'>;

/**
 * Reads the batches of each place. A batch begins at the number after the end of the previous one,
 * unless batches were removed.
 */
export class EventLog {
  readonly #db: MongoDatabase;
  /** The newest end of a batch that this server has seen in each place. */
  readonly #ends = new BoundedMap<ConversationKey, number>(MAX_PLACES);
  /** The number up to which the message collections are complete for each place. */
  readonly #settled = new BoundedMap<ConversationKey, number>(MAX_PLACES);

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  /** The newest known end of a batch of the place, without a query. Null if none is known. */
  knownEnd(place: ConversationKey): number | null {
    return this.#ends.get(place) ?? null;
  }

  learn(place: ConversationKey, end: number): void {
    raise(this.#ends, place, end);
  }

  /** The last batch of each place that has one, by one index seek for each place. */
  async lastBatches(
    places: readonly ConversationKey[],
  ): Promise<Map<ConversationKey, Pick<EventDocument, 'l' | 'more'>>> {
    const [only] = places;
    if (only !== undefined && places.length === 1) {
      const [last] = await this.#db.find<Pick<EventDocument, 'l' | 'more'>>(this.#db.events, 1, {
        filter: { p: only },
        sort: { f: -1 },
        projection: { _id: 0, l: 1, more: 1 },
        hint: PLACE_FIRST,
      });
      if (last !== undefined) this.learn(only, last.l);
      return new Map(last === undefined ? [] : [[only, last]]);
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

  /**
   * True if a batch up to the given number still has to be projected. All events up to this number
   * must be stored.
   *
   * A number that was found projected once is not checked again. The index of unprojected batches
   * keeps removed entries for minutes, and scanning them costs more than reading a page.
   */
  async isBehind(ends: ReadonlyMap<ConversationKey, number>): Promise<boolean> {
    const open = [...ends].flatMap(([p, end]) => {
      const settled = this.#settled.get(p) ?? 0;
      return settled < end ? [{ p, f: { $gt: settled }, proj: true as const }] : [];
    });
    if (open.length === 0) return false;
    const filter = open.length === 1 ? (open[0] ?? {}) : { $or: open };
    const query = { filter, projection: { _id: 1 }, hint: UNPROJECTED };
    if ((await this.#db.find(this.#db.events, 1, query)).length > 0) return true;
    this.settled(ends);
    return false;
  }

  /** Remembers that the message collections are complete up to these numbers. */
  settled(ends: ReadonlyMap<ConversationKey, number>): void {
    for (const [place, end] of ends) raise(this.#settled, place, end);
  }

  async eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    const next = after + 1;
    const projection = { _id: 0, p: 1, f: 1, l: 1, e: 1, removed: 1 };
    const following = this.#db.events
      .find({ p: place, f: { $gt: next } }, { hint: PLACE_FIRST, projection, batchSize: Math.min(limit, 100) })
      .sort({ f: 1 })
      .limit(limit);
    try {
      const [containing] = await Promise.all([this.#batchWith(place, next, limit), following.hasNext()]);
      const events: SequencedEvent[] = [];
      let end = after;
      const take = (batch: Batch): void => {
        end = batch.l;
        this.learn(place, end);
        const more: SequencedEvent[] = batch.removed
          ? [{ kind: 'unknown', place, seq: end, isRemoved: true }]
          : readEvents(batch);
        events.push(...more.slice(0, limit - events.length));
      };
      if (containing !== null) take(containing);
      while (events.length < limit && (await following.hasNext())) {
        const batch = await following.next();
        if (batch === null || (batch.f !== end + 1 && !(await this.#isHole(place, end + 1, batch.f)))) break;
        take(batch);
      }
      return events;
    } finally {
      await following.close();
    }
  }

  /**
   * True if no batch holds the number `missing`, although one begins at `next`. The queries of
   * {@link eventsAfter} do not see the same moment, so a batch may have been stored between them.
   * This query begins after the batch at `next` was seen, so it sees every batch before that one.
   */
  async #isHole(place: ConversationKey, missing: number, next: number): Promise<boolean> {
    const [before] = await this.#db.find<Pick<EventDocument, 'l'>>(this.#db.events, 1, {
      filter: { p: place, f: { $lt: next } },
      sort: { f: -1 },
      projection: { _id: 0, l: 1 },
      hint: PLACE_FIRST,
    });
    return (before?.l ?? 0) < missing;
  }

  /** The batch that holds number `next`, without its earlier events. Null if there is none. */
  async #batchWith(place: ConversationKey, next: number, limit: number): Promise<Batch | null> {
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
              removed: 1,
              f: { $literal: next },
              e: { $slice: ['$e', { $subtract: [next, '$f'] }, limit] },
            },
          },
        ],
        { hint: PLACE_FIRST },
      )
      .toArray();
    return batch ?? null;
  }
}

function raise(numbers: BoundedMap<ConversationKey, number>, place: ConversationKey, to: number): void {
  numbers.set(place, Math.max(numbers.get(place) ?? 0, to));
}
