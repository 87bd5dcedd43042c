import { Long } from 'mongodb';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf, UNNUMBERED } from './documents.ts';
import { CHANNEL_SEQ, CHANNEL_TIME, CHANNEL_USER } from './indexes.ts';

export interface Asked {
  readonly place: ConversationKey;
  /** The reader's time, undefined for one who never looked. */
  readonly since: Date | undefined;
  readonly seq: number;
}

/** Counts unread messages from index keys alone. */
export class Unread {
  readonly #db: MongoDatabase;

  constructor(db: MongoDatabase) {
    this.#db = db;
  }

  async count(userId: UserId, asked: readonly Asked[]): Promise<Map<ConversationKey, UnreadCount>> {
    const kinds = [asked.filter(({ place }) => !isChannel(place)), asked.filter(({ place }) => isChannel(place))];
    const counts = await Promise.all(kinds.map((some) => this.#ofKind(userId, some)));
    return new Map(counts.flat().map((count) => [count.place, count]));
  }

  async #ofKind(userId: UserId, asked: readonly Asked[]): Promise<UnreadCount[]> {
    if (asked[0] === undefined) return [];
    const places = asked.map(({ place }) => place);
    const fresh = asked.filter(({ since }) => since === undefined);
    const [newest, ofOthers] = await Promise.all([this.#newestTimes(places), this.#ofOthers(userId, fresh)]);
    const later = asked.filter(({ place, since }) => {
      const time = newest.get(place.slice(2));
      return since !== undefined && time !== undefined && time > since;
    });
    const counts = new Map([...ofOthers, ...(await this.#since(userId, later))]);
    return asked.map(({ place, seq }) => ({
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

  async #since(userId: UserId, asked: readonly Asked[]): Promise<Map<string, number>> {
    const [first] = asked;
    if (first === undefined) return new Map();
    const branches = asked.map(({ place, since }) => ({
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
   * All messages of others, for one who never looked: numbers are dense, so they are counted by arithmetic, without walking over them. What is looked up is little: the holes,
   * what an original server stored without a number, and one's own.
   */
  async #ofOthers(userId: UserId, asked: readonly Asked[]): Promise<Map<string, number>> {
    const [first] = asked;
    if (first === undefined) return new Map();
    const channelId = { $in: asked.map(({ place }) => channelIdOf(place)) };
    const messages = this.#db.messagesOf(first.place);
    const perChannel = async (match: object, hint: string): Promise<Map<string, number>> => {
      const stages = [{ $match: { channelId, ...match } }, { $group: { _id: '$channelId', n: { $sum: 1 } } }];
      const rows = await messages.aggregate<{ _id: unknown; n: number }>(stages, { hint, batchSize: 1000 }).toArray();
      return new Map(rows.map(({ _id, n }) => [String(_id), n]));
    };
    const [holes, unnumbered, own] = await Promise.all([
      this.#db.holes.find({ _id: { $in: asked.map(({ place }) => place) } }, { projection: { t: 1 } }).toArray(),
      perChannel({ seq: UNNUMBERED }, CHANNEL_SEQ),
      perChannel({ userId: Long.fromNumber(userId) }, CHANNEL_USER),
    ]);
    const gone = new Map(holes.map(({ _id, t }) => [_id, t]));
    return new Map(
      asked.map(({ place, seq }) => {
        const id = place.slice(2);
        const count = seq - (gone.get(place) ?? 0) + (unnumbered.get(id) ?? 0) - (own.get(id) ?? 0);
        // What came after `seq` was read may be one's own, or a hole.
        return [id, Math.max(0, count)];
      }),
    );
  }
}
