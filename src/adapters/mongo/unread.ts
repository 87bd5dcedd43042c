import { type Collection, Long } from 'mongodb';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import { holeBucket, lastOfBucket } from '../../domain/holes.ts';
import type { UserId } from '../../domain/ids.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import type { MongoDatabase } from './database.ts';
import { channelIdOf, type MessageDocument, UNNUMBERED } from './documents.ts';
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

interface NumbersAfter {
  readonly position: NumberedPosition;
  readonly count: number;
  readonly countTo: number | null;
}

/** Buckets of holes that are read by name. Beyond them, the whole documents are read. */
const MAX_FIELDS = 50;

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
   *
   * Most counts follow from numbers, without a walk over messages: nothing is unread behind the
   * newest number, and numbers have no gaps but the holes. The others are counted one by one.
   */
  async #afterNumbers(userId: UserId, positions: readonly NumberedPosition[]): Promise<Map<string, number>> {
    const [first] = positions;
    if (first === undefined) return new Map();
    const messages = this.#db.messagesOf(first.place);
    const mine = Long.fromNumber(userId);
    const countEach = async (branches: readonly object[], hint: string): Promise<Map<string, number>> => {
      if (branches.length === 0) return new Map();
      const match = branches.length === 1 ? (branches[0] ?? {}) : { $or: branches };
      return this.#perChannel(messages, match, hint);
    };
    const behind = positions.filter(({ read, seq }) => read < seq);
    const [numbered, newestOwn, unnumbered] = await Promise.all([
      this.#numbersAfter(behind),
      this.#newestOwn(mine, behind),
      this.#perChannel(messages, { channelId: inPlaces(positions), seq: UNNUMBERED }, CHANNEL_SEQ),
    ]);
    const channelOf = ({ place }: NumberedPosition) => ({ channelId: channelIdOf(place) });
    const idIn = (counts: ReadonlyMap<string, unknown>) => positions.filter(({ place }) => counts.has(place.slice(2)));
    const own = behind.filter(({ place, read }) => (newestOwn.get(place.slice(2)) ?? 0) > read);
    const [counted, ownCounts, laterCounts] = await Promise.all([
      countEach(
        numbered.flatMap(({ position, countTo }) =>
          countTo === null ? [] : [{ ...channelOf(position), seq: { $gt: position.read, $lte: countTo } }],
        ),
        CHANNEL_SEQ,
      ),
      countEach(
        own.map((position) => ({
          ...channelOf(position),
          userId: mine,
          seq: { $gt: position.read, $lte: position.seq },
        })),
        CHANNEL_USER,
      ),
      countEach(
        idIn(unnumbered).map((position) => ({
          ...channelOf(position),
          seq: UNNUMBERED,
          userId: { $ne: mine },
          ...(position.unnumberedSince !== null && { localDateTime: { $gt: position.unnumberedSince } }),
        })),
        CHANNEL_SEQ,
      ),
    ]);
    const known = new Map(numbered.map(({ position, count }) => [position.place.slice(2), count]));
    return new Map(
      positions.map(({ place }) => {
        const id = place.slice(2);
        const all = (known.get(id) ?? 0) + (counted.get(id) ?? 0);
        // Messages may be deleted between the counts.
        return [id, Math.max(0, all - (ownCounts.get(id) ?? 0)) + (laterCounts.get(id) ?? 0)];
      }),
    );
  }

  /**
   * How many messages stand after the read numbers, as far as it follows from the holes. The
   * messages up to `countTo` have to be counted beside it; null: none.
   */
  async #numbersAfter(positions: readonly NumberedPosition[]): Promise<NumbersAfter[]> {
    if (positions.length === 0) return [];
    const ids = positions.map(({ place }) => place);
    const fields = new Set(positions.flatMap(({ read, seq }) => bucketFields(read, seq)));
    const projection = fields.size <= MAX_FIELDS ? Object.fromEntries([...fields].map((field) => [field, 1])) : {};
    const options = { projection: { ...projection, ...(fields.size <= MAX_FIELDS && { s: 1 }) } };
    // The holes are read after `seq`, so they include every hole up to it.
    const docs = await this.#db.holes.find({ _id: { $in: ids } }, options).toArray();
    const holes = new Map(docs.map((doc) => [doc._id, doc]));
    return positions.map((position): NumbersAfter => {
      const { place, read, seq } = position;
      const { s = 0, n = {} } = holes.get(place) ?? {};
      // Some holes were made by later events, and may be among these numbers.
      if (s > seq) return { position, count: 0, countTo: seq };
      const bucket = holeBucket(read);
      const isPartOfBucket = (n[bucket] ?? 0) > 0;
      const from = isPartOfBucket ? Math.min(seq, lastOfBucket(bucket)) : read;
      let count = seq - from;
      for (let later = isPartOfBucket ? bucket + 1 : bucket; later <= holeBucket(seq); later += 1) {
        count -= n[later] ?? 0;
      }
      return { position, count, countTo: isPartOfBucket ? from : null };
    });
  }

  /** The number of the user's newest message in each place that has one. */
  async #newestOwn(mine: Long, positions: readonly NumberedPosition[]): Promise<Map<string, number>> {
    const [first] = positions;
    if (first === undefined) return new Map();
    const rows = await this.#db
      .messagesOf(first.place)
      .aggregate<{ _id: unknown; seq?: unknown }>(
        [
          { $match: { channelId: inPlaces(positions), userId: mine } },
          { $sort: { channelId: -1, userId: -1, seq: -1 } },
          { $group: { _id: '$channelId', seq: { $first: '$seq' } } },
        ],
        { hint: CHANNEL_USER, batchSize: 1000 },
      )
      .toArray();
    return new Map(rows.flatMap(({ _id, seq }) => (typeof seq === 'number' ? [[String(_id), seq]] : [])));
  }

  /** How many messages match, by channel. */
  async #perChannel(messages: Collection<MessageDocument>, match: object, hint: string): Promise<Map<string, number>> {
    const stages = [{ $match: match }, { $group: { _id: '$channelId', n: { $sum: 1 } } }];
    const rows = await messages.aggregate<{ _id: unknown; n: number }>(stages, { hint, batchSize: 1000 }).toArray();
    return new Map(rows.map(({ _id, n }) => [String(_id), n]));
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
    const channelId = inPlaces(positions);
    const messages = this.#db.messagesOf(first.place);
    const [holes, unnumbered, own] = await Promise.all([
      this.#db.holes.find({ _id: { $in: positions.map(({ place }) => place) } }, { projection: { t: 1 } }).toArray(),
      this.#perChannel(messages, { channelId, seq: UNNUMBERED }, CHANNEL_SEQ),
      this.#perChannel(messages, { channelId, userId: Long.fromNumber(userId) }, CHANNEL_USER),
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

function inPlaces(positions: readonly ReaderPosition[]): { readonly $in: Long[] } {
  return { $in: positions.map(({ place }) => channelIdOf(place)) };
}

/** The fields of the buckets between these numbers. */
function bucketFields(from: number, to: number): string[] {
  const fields: string[] = [];
  // One more than may be asked for, so that the caller sees it.
  for (let bucket = holeBucket(from); bucket <= holeBucket(to) && fields.length <= MAX_FIELDS; bucket += 1) {
    fields.push(`n.${bucket}`);
  }
  return fields;
}
