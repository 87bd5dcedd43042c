import { Long } from 'mongodb';
import type { UnreadCount } from '../../application/ports/message-store.ts';
import { type ConversationKey, isChannel } from '../../domain/conversation.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf } from './documents.ts';
import { CHANNEL_SEQ, CHANNEL_TIME, CHANNEL_USER } from './indexes.ts';

/** A place with so many numbers is not counted key by key for somebody who never looked. */
const LARGE = 5_000;

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
    const newest = await this.#newestTimes(asked);
    const counted = asked.filter(({ place, since, seq }) => {
      const time = newest.get(place.slice(2));
      return time !== undefined && (since === undefined ? seq <= LARGE : time > since);
    });
    const large = asked.filter(({ since, seq }) => since === undefined && seq > LARGE);
    const [since, all] = await Promise.all([
      this.#since(userId, counted),
      Promise.all(large.map(async (one) => [one.place, await this.#allOfOthers(userId, one)] as const)),
    ]);
    const totals = new Map(all);
    return asked.map(({ place, seq }) => ({
      place,
      count: totals.get(place) ?? since.get(place.slice(2)) ?? 0,
      newestTime: newest.get(place.slice(2))?.getTime() ?? null,
      seq,
    }));
  }

  async #newestTimes(asked: readonly Asked[]): Promise<Map<string, Date>> {
    const [first] = asked;
    if (first === undefined) return new Map();
    const rows = await this.#db
      .messagesOf(first.place)
      .aggregate<{ _id: unknown; time: Date }>(
        [
          { $match: { channelId: { $in: asked.map(({ place }) => channelIdOf(place)) } } },
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
      localDateTime: { $gt: since ?? new Date(-8.64e15) },
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

  /** Numbers are dense: all of them but the holes are messages, and one's own are few where one never looked. */
  async #allOfOthers(userId: UserId, { place, seq }: Asked): Promise<number> {
    const messages = this.#db.messagesOf(place);
    const channelId = channelIdOf(place);
    const [holes, unnumbered, own] = await Promise.all([
      this.#db.holes.findOne({ _id: place }, { projection: { t: 1 } }),
      messages.countDocuments({ channelId, seq: { $eq: null } } as object, { hint: CHANNEL_SEQ }),
      messages.countDocuments({ channelId, userId: Long.fromNumber(userId) }, { hint: CHANNEL_USER }),
    ]);
    return seq - (holes?.t ?? 0) + unnumbered - own;
  }
}
