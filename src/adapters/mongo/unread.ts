import { Long } from 'mongodb';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf, UNNUMBERED } from './documents.ts';
import { CHANNEL_SEQ, CHANNEL_TIME, CHANNEL_USER } from './indexes.ts';

/** A place and how far a user has read there. */
export interface ReaderPosition {
  readonly place: ConversationKey;
  /** The user's read marker, null if they have none. */
  readonly since: Date | null;
  /** Newest number of the place. */
  readonly seq: number;
}

/** Counts unread messages. Reads index keys only, no documents. */
export class Unread {
  readonly #db: MongoDatabase;

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  async count(userId: UserId, positions: readonly ReaderPosition[]): Promise<Map<ConversationKey, UnreadCount>> {
    const rooms = positions.filter(({ place }) => !isChannel(place));
    const channels = positions.filter(({ place }) => isChannel(place));
    const counts = await Promise.all([rooms, channels].map((some) => this.#inCollection(userId, some)));
    return new Map(counts.flat().map((count) => [count.place, count]));
  }

  /** @param positions all of them in places of one collection */
  async #inCollection(userId: UserId, positions: readonly ReaderPosition[]): Promise<UnreadCount[]> {
    if (positions.length === 0) return [];
    const places = positions.map(({ place }) => place);
    const unmarked = positions.filter(({ since }) => since === null);
    const [newest, ofOthers] = await Promise.all([this.#newestTimes(places), this.#ofOthers(userId, unmarked)]);
    const later = positions.filter(({ place, since }) => {
      const time = newest.get(place.slice(2));
      return since !== null && time !== undefined && time > since;
    });
    const counts = new Map([...ofOthers, ...(await this.#since(userId, later))]);
    return positions.map(({ place, seq }) => ({
      place,
      count: counts.get(place.slice(2)) ?? 0,
      newestTime: newest.get(place.slice(2))?.getTime() ?? null,
      seq,
    }));
  }

  async #newestTimes(places: readonly ConversationKey[]): Promise<Map<string, Date>> {
    const [first] = places;
    if (first === undefined) return new Map();
    const rows = await this.#db
      .messagesOf(first)
      .aggregate<{ _id: unknown; time: Date }>(
        [
          { $match: { channelId: { $in: places.map(channelIdOf) } } },
          { $sort: { channelId: -1, localDateTime: -1 } },
          { $group: { _id: '$channelId', time: { $first: '$localDateTime' } } },
        ],
        { hint: CHANNEL_TIME, batchSize: 1000 },
      )
      .toArray();
    return new Map(rows.map(({ _id, time }) => [String(_id), time]));
  }

  /** Messages of others after the markers. */
  async #since(userId: UserId, positions: readonly ReaderPosition[]): Promise<Map<string, number>> {
    const [first] = positions;
    if (first === undefined) return new Map();
    const branches = positions.map(({ place, since }) => ({
      channelId: channelIdOf(place),
      localDateTime: { $gt: since },
    }));
    const mine = { $eq: ['$userId', Long.fromNumber(userId)] };
    const rows = await this.#db
      .messagesOf(first.place)
      .aggregate<{ _id: unknown; n: number }>(
        [
          { $match: branches.length === 1 ? (branches[0] ?? {}) : { $or: branches } },
          { $group: { _id: '$channelId', n: { $sum: { $cond: [mine, 0, 1] } } } },
        ],
        { hint: CHANNEL_TIME, batchSize: 1000 },
      )
      .toArray();
    return new Map(rows.map(({ _id, n }) => [String(_id), n]));
  }

  /**
   * All messages of others, for a user without markers. Numbers have no gaps, so the count follows
   * from the newest number. Only three small counts are read: the holes, the messages that an
   * original server stored without a number, and the user's own messages.
   */
  async #ofOthers(userId: UserId, positions: readonly ReaderPosition[]): Promise<Map<string, number>> {
    const [first] = positions;
    if (first === undefined) return new Map();
    const channelId = { $in: positions.map(({ place }) => channelIdOf(place)) };
    const messages = this.#db.messagesOf(first.place);
    const perChannel = async (match: object, hint: string): Promise<Map<string, number>> => {
      const stages = [{ $match: { channelId, ...match } }, { $group: { _id: '$channelId', n: { $sum: 1 } } }];
      const rows = await messages.aggregate<{ _id: unknown; n: number }>(stages, { hint, batchSize: 1000 }).toArray();
      return new Map(rows.map(({ _id, n }) => [String(_id), n]));
    };
    const [holes, unnumbered, own] = await Promise.all([
      this.#db.holes.find({ _id: { $in: positions.map(({ place }) => place) } }, { projection: { t: 1 } }).toArray(),
      perChannel({ seq: UNNUMBERED }, CHANNEL_SEQ),
      perChannel({ userId: Long.fromNumber(userId) }, CHANNEL_USER),
    ]);
    const gone = new Map(holes.map(({ _id, t }) => [_id, t]));
    return new Map(
      positions.map(({ place, seq }) => {
        const id = place.slice(2);
        const count = seq - (gone.get(place) ?? 0) + (unnumbered.get(id) ?? 0) - (own.get(id) ?? 0);
        // Holes and own messages may be newer than `seq`, which was read first.
        return [id, Math.max(0, count)];
      }),
    );
  }
}
