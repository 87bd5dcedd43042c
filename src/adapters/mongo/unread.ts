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
  /** The number up to which they have read; null if there is none. */
  readonly read: number | null;
  /** The read time that an original server wrote; null if there is none that counts. */
  readonly since: Date | null;
  /** Messages without a number are read up to this time; null: none of them. */
  readonly unnumberedSince: Date | null;
  /** Newest number of the place. */
  readonly seq: number;
}

type NumberedPosition = ReaderPosition & { readonly read: number };

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
    const unmarked = positions.filter(({ read, since }) => read === null && since === null);
    const numbered = positions.filter((position): position is NumberedPosition => position.read !== null);
    const [newest, ofOthers, afterNumbers] = await Promise.all([
      this.#newestTimes(places),
      this.#ofOthers(userId, unmarked),
      this.#afterNumbers(userId, numbered),
    ]);
    const later = positions.filter(({ place, since }) => {
      const time = newest.get(place.slice(2));
      return since !== null && time !== undefined && time > since;
    });
    const afterTimes = await this.#since(userId, later);
    return positions.map(({ place, seq, read, since }) => {
      const id = place.slice(2);
      const counts = [
        ...(read === null ? [] : [afterNumbers.get(id) ?? 0]),
        ...(since === null ? [] : [afterTimes.get(id) ?? 0]),
      ];
      const count = counts.length === 0 ? (ofOthers.get(id) ?? 0) : Math.min(...counts);
      return { place, count, newestTime: newest.get(id)?.getTime() ?? null, seq };
    });
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

  /**
   * Messages of others after the numbers, and those that an original server stored without a number
   * after the times.
   */
  async #afterNumbers(userId: UserId, positions: readonly NumberedPosition[]): Promise<Map<string, number>> {
    const [first] = positions;
    if (first === undefined) return new Map();
    const messages = this.#db.messagesOf(first.place);
    const mine = Long.fromNumber(userId);
    const perChannel = async (matchOf: (position: NumberedPosition) => object, hint: string) => {
      const branches = positions.map((position) => ({ channelId: channelIdOf(position.place), ...matchOf(position) }));
      const match = branches.length === 1 ? (branches[0] ?? {}) : { $or: branches };
      const stages = [{ $match: match }, { $group: { _id: '$channelId', n: { $sum: 1 } } }];
      const rows = await messages.aggregate<{ _id: unknown; n: number }>(stages, { hint, batchSize: 1000 }).toArray();
      return new Map(rows.map(({ _id, n }) => [String(_id), n]));
    };
    const between = ({ read, seq }: NumberedPosition) => ({ seq: { $gt: read, $lte: seq } });
    const [all, own, unnumbered] = await Promise.all([
      perChannel(between, CHANNEL_SEQ),
      perChannel((position) => ({ userId: mine, ...between(position) }), CHANNEL_USER),
      perChannel(
        ({ unnumberedSince: time }) => ({
          seq: UNNUMBERED,
          userId: { $ne: mine },
          ...(time !== null && { localDateTime: { $gt: time } }),
        }),
        CHANNEL_SEQ,
      ),
    ]);
    return new Map(
      positions.map(({ place }) => {
        const id = place.slice(2);
        return [id, (all.get(id) ?? 0) - (own.get(id) ?? 0) + (unnumbered.get(id) ?? 0)];
      }),
    );
  }

  /** Messages of others after the times. */
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
