import type { ReadMarkers, ReadPosition, UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { answered, inTime, type MongoDatabase } from './database.ts';
import { positionId } from './documents.ts';
import { MARKER_PLACE } from './indexes.ts';
import type { MongoMessageStore } from './message-store.ts';
import { type ReaderPosition, Unread } from './unread.ts';

export interface MongoReadMarkersParts {
  readonly db: MongoDatabase;
  /** The store of the same server. It projects what has to be counted. */
  readonly store: MongoMessageStore;
}

/** A position, with the time that stands in the original's collection for it. */
interface Position {
  readonly seq: number;
  readonly time: Date | null;
}

/**
 * Read positions in a collection of their own, and read times in the original's collection
 * `messageTime`. A position notes the time that was written for it: a later time in `messageTime`
 * is one of an original server, and counts too.
 */
export class MongoReadMarkers implements ReadMarkers {
  readonly #parts: MongoReadMarkersParts;
  readonly #unread: Unread;

  constructor(parts: MongoReadMarkersParts) {
    this.#parts = parts;
    this.#unread = new Unread(parts.db);
  }

  mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<ReadPosition[]> {
    return inTime(this.#mark(userId, places, time));
  }

  markUpTo(userId: UserId, place: ConversationKey, seq: number): Promise<number> {
    return inTime(this.#markUpTo(userId, place, seq));
  }

  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    return inTime(this.#unreadOf(userId, places));
  }

  async #mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<ReadPosition[]> {
    const distinct = [...new Set(places)];
    if (distinct.length === 0) return [];
    const [newest, times, known] = await Promise.all([
      this.#parts.store.newest(distinct),
      answered(this.#times(userId, distinct)),
      answered(this.#positions(userId, distinct)),
    ]);
    const now = new Date(time);
    const positions = distinct.map((place) => {
      const before = times.get(place);
      // A time of a clock that is ahead must not count beside the new position.
      const noted = before !== undefined && before > now ? before : now;
      return { place, seq: Math.max(newest.get(place) ?? 0, known.get(place)?.seq ?? 0), time: noted };
    });
    await Promise.all([this.#writeTimes(userId, distinct, now), this.#writePositions(userId, positions)]);
    return positions.map(({ place, seq }) => ({ place, seq }));
  }

  async #markUpTo(userId: UserId, place: ConversationKey, seq: number): Promise<number> {
    const newest = (await this.#parts.store.newest([place])).get(place) ?? 0;
    const filter = { _id: positionId(place, userId) };
    const update = { $max: { seq: Math.min(seq, newest) } };
    const write = () =>
      this.#parts.db.positions.findOneAndUpdate(filter, update, { upsert: true, returnDocument: 'after' });
    return (await answered(write().catch(write)))?.seq ?? 0;
  }

  async #unreadOf(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    const distinct = [...new Set(places)];
    if (distinct.length === 0) return [];
    const { store } = this.#parts;
    const [newest, times, known] = await Promise.all([
      store.newest(distinct),
      answered(this.#times(userId, distinct)),
      answered(this.#positions(userId, distinct)),
    ]);
    await store.settle(newest);
    const positions = distinct.map((place): ReaderPosition => {
      const position = known.get(place);
      const time = times.get(place) ?? null;
      const noted = position?.time ?? null;
      const isOfOriginal = time !== null && (noted === null || time > noted);
      return {
        place,
        seq: newest.get(place) ?? 0,
        read: position?.seq ?? null,
        since: isOfOriginal ? time : null,
        unnumberedSince: time ?? noted,
      };
    });
    const counts = await answered(this.#unread.count(userId, positions));
    return places.flatMap((place) => counts.get(place) ?? []);
  }

  async #writeTimes(userId: UserId, places: readonly ConversationKey[], time: Date): Promise<void> {
    const updates = places.map((channelId) => ({
      updateOne: { filter: { channelId }, update: { $max: { [`read.${userId}`]: time } }, upsert: true },
    }));
    // If two servers create the document of a place at the same time, the unique index refuses one
    // of them. Its second attempt finds the document.
    const write = () => this.#parts.db.markers.bulkWrite(updates, { ordered: false });
    await answered(write().catch(write));
  }

  async #writePositions(userId: UserId, positions: readonly (ReadPosition & { readonly time: Date })[]): Promise<void> {
    const updates = positions.map(({ place, seq, time }) => ({
      updateOne: { filter: { _id: positionId(place, userId) }, update: { $max: { seq, time } }, upsert: true },
    }));
    const write = () => this.#parts.db.positions.bulkWrite(updates, { ordered: false });
    await answered(write().catch(write));
  }

  async #times(userId: UserId, places: readonly ConversationKey[]): Promise<Map<string, Date>> {
    const options = { projection: { channelId: 1, [`read.${userId}`]: 1 }, hint: MARKER_PLACE };
    const docs = await this.#parts.db.markers.find({ channelId: { $in: [...places] } }, options).toArray();
    return new Map(
      docs.flatMap(({ channelId, read }) => {
        const time = read?.[String(userId)];
        return time instanceof Date ? [[channelId, time]] : [];
      }),
    );
  }

  async #positions(userId: UserId, places: readonly ConversationKey[]): Promise<Map<ConversationKey, Position>> {
    const byId = new Map(places.map((place) => [positionId(place, userId), place]));
    const docs = await this.#parts.db.positions.find({ _id: { $in: [...byId.keys()] } }).toArray();
    return new Map(
      docs.flatMap(({ _id, seq, time }) => {
        const place = byId.get(_id);
        return place === undefined ? [] : [[place, { seq, time: time ?? null }]];
      }),
    );
  }
}
