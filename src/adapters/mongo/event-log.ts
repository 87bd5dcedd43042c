import type { StoredEvent } from '../../domain/chat-event.ts';
import type { ConversationKey } from '../../domain/conversation.ts';
import type { MongoDatabase } from './database.ts';
import { type EventDocument, readEvents } from './documents.ts';
import { PLACE_FIRST } from './indexes.ts';

const KNOWN_PLACES = 50_000;

/** Where a place stands. */
export interface Position {
  readonly newest: number;
  /** Batches are not in the message collections yet. */
  readonly behind: boolean;
  /** Messages of an original server have to be numbered first. */
  readonly unfinished: boolean;
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

  async position(place: ConversationKey): Promise<Position> {
    // The newest is read first, within one answer: whatever is unprojected up to it shows in what is read second.
    const rows = await this.#db.events
      .aggregate<{ l?: number; more?: true; behind?: true }>(
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
    };
  }

  async eventsAfter(place: ConversationKey, after: number, limit: number): Promise<StoredEvent[]> {
    const options = { hint: PLACE_FIRST, projection: { _id: 0, p: 1, f: 1, l: 1, e: 1 } };
    const following = this.#db.events.find(
      { p: place, f: { $gt: after + 1 } },
      { ...options, sort: { f: 1 }, limit, batchSize: Math.min(limit, 100) },
    );
    try {
      const [containing] = await Promise.all([
        this.#db.events.findOne({ p: place, f: { $lte: after + 1 } }, { ...options, sort: { f: -1 } }),
        following.hasNext(),
      ]);
      const events: StoredEvent[] = [];
      let next = after + 1;
      const take = (doc: Pick<EventDocument, 'p' | 'f' | 'l' | 'e'>): boolean => {
        this.learn(place, doc.l);
        for (const event of readEvents(doc)) {
          if (event.seq === next && events.length < limit) {
            events.push(event);
            next += 1;
          }
        }
        return events.length < limit;
      };
      if (containing !== null) take(containing);
      while (events.length < limit && (await following.hasNext())) {
        const doc = await following.next();
        // The two reads are no single look: a batch may have come between them.
        if (doc === null || doc.f !== next) break;
        take(doc);
      }
      return events;
    } finally {
      await following.close();
    }
  }
}
