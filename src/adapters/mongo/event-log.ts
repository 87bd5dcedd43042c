import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import type { MongoDatabase } from './database.ts';
import { type EventDocument, readEvents } from './documents.ts';
import { PLACE_FIRST } from './indexes.ts';

const KNOWN_PLACES = 50_000;

/** Reads the chain of batches: each place's documents, each beginning where the one before ended. */
export class EventLog {
  readonly #db: MongoDatabase;
  /** The newest end of a batch that was seen of each place; the longest unused come first. */
  readonly #ends = new Map<ConversationKey, number>();
  /** Up to which number each place is in the message collections for good; the longest unused come first. */
  readonly #settled = new Map<ConversationKey, number>();

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  /** The newest end known of a place without asking, undefined for nothing. */
  knownEnd(place: ConversationKey): number | undefined {
    return this.#ends.get(place);
  }

  learn(place: ConversationKey, end: number): void {
    raise(this.#ends, place, end);
  }

  /** The last batch of each place that has one: an index seek a place. */
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
   * Whether batches up to these numbers, all of which are stored, are not in the message collections. What once was found there stays there and is not looked for again:
   * the index keeps what was taken out of it for minutes, and walking over that costs more than reading a page.
   */
  async behind(ends: ReadonlyMap<ConversationKey, number>): Promise<boolean> {
    const open = [...ends].flatMap(([p, end]) => {
      const settled = this.#settled.get(p) ?? 0;
      return settled < end ? [{ p, f: { $gt: settled }, proj: true as const }] : [];
    });
    if (open.length === 0) return false;
    const filter = open.length === 1 ? (open[0] ?? {}) : { $or: open };
    const query = { filter, projection: { _id: 1 }, hint: 'unprojected' };
    if ((await this.#db.find(this.#db.events, 1, query)).length > 0) return true;
    this.settled(ends);
    return false;
  }

  /** All of these places, up to these numbers, is in the message collections. */
  settled(ends: ReadonlyMap<ConversationKey, number>): void {
    for (const [place, end] of ends) raise(this.#settled, place, end);
  }

  async eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    const next = after + 1;
    const projection = { _id: 0, p: 1, f: 1, l: 1, e: 1 };
    const following = this.#db.events
      .find({ p: place, f: { $gt: next } }, { hint: PLACE_FIRST, projection, batchSize: Math.min(limit, 100) })
      .sort({ f: 1 })
      .limit(limit);
    try {
      const [containing] = await Promise.all([this.#from(place, next, limit), following.hasNext()]);
      const events: SequencedEvent[] = [];
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

function raise(known: Map<ConversationKey, number>, place: ConversationKey, to: number): void {
  const before = known.get(place) ?? 0;
  known.delete(place);
  known.set(place, Math.max(before, to));
  if (known.size <= KNOWN_PLACES) return;
  for (const oldest of known.keys()) {
    known.delete(oldest);
    return;
  }
}

type Batch = Pick<EventDocument, 'p' | 'f' | 'l' | 'e'>;
