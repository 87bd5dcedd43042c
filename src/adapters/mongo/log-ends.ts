import { MongoServerError, ObjectId } from 'mongodb';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf } from './documents.ts';
import { DUPLICATE_KEY } from './error-codes.ts';
import { CHANNEL_SEQ } from './indexes.ts';

/** Events at the end of a log that were removed after their numbers had been given. */
export interface RemovedEnd {
  readonly place: ConversationKey;
  readonly from: number;
  readonly to: number;
}

export interface LogEndsParts {
  readonly db: MongoDatabase;
  readonly onRemovedEnd: (removed: RemovedEnd) => void;
}

/**
 * Keeps the numbers of events that were removed from the end of a log: no number is given twice.
 */
export class LogEnds {
  readonly #parts: LogEndsParts;

  constructor(parts: LogEndsParts) {
    this.#parts = parts;
  }

  /**
   * The greatest numbers that the messages and the holes of these places show. A place without
   * either is absent.
   */
  async shown(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>> {
    const { db } = this.#parts;
    const kinds = [places.filter((place) => !isChannel(place)), places.filter(isChannel)];
    const [holes, ...messages] = await Promise.all([
      db.holes.find({ _id: { $in: [...places] } }, { projection: { s: 1 } }).toArray(),
      ...kinds.map((some) => this.#newestMessages(some)),
    ]);
    const shown = new Map(messages.flatMap((some) => [...some]));
    for (const { _id, s } of holes) shown.set(_id, Math.max(s, shown.get(_id) ?? 0));
    return shown;
  }

  /**
   * Stores a batch without events that holds the removed numbers. Does nothing if another server
   * has stored a batch at the first of them.
   */
  async hold(removed: RemovedEnd): Promise<void> {
    const { db, onRemovedEnd } = this.#parts;
    const { place, from, to } = removed;
    try {
      const batch = { p: place, f: from, l: to, at: new Date(), removed: true, e: [] } as const;
      await db.events.insertOne({ _id: new ObjectId(), ...batch });
      onRemovedEnd(removed);
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    }
  }

  async #newestMessages(places: readonly ConversationKey[]): Promise<[ConversationKey, number][]> {
    const [first] = places;
    if (first === undefined) return [];
    const rows = await this.#parts.db
      .messagesOf(first)
      .aggregate<{ _id: unknown; seq?: unknown }>(
        [
          { $match: { channelId: { $in: places.map(channelIdOf) } } },
          { $sort: { channelId: 1, seq: -1 } },
          { $group: { _id: '$channelId', seq: { $first: '$seq' } } },
        ],
        { hint: CHANNEL_SEQ, batchSize: 1000 },
      )
      .toArray();
    const kind = first.slice(0, 2);
    return rows.flatMap(({ _id, seq }) => (typeof seq === 'number' ? [[`${kind}${_id}` as ConversationKey, seq]] : []));
  }
}
