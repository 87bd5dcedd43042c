import type { ReadMarkers, UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { answered, type MongoDatabase } from './database.ts';
import { MARKER_PLACE } from './indexes.ts';
import type { MongoMessageStore } from './message-store.ts';
import { type ReaderPosition, Unread } from './unread.ts';

export interface MongoReadMarkersParts {
  readonly db: MongoDatabase;
  /** The store of the same server. It projects what has to be counted. */
  readonly store: MongoMessageStore;
}

/** Read markers in the original's collection `messageTime`. */
export class MongoReadMarkers implements ReadMarkers {
  readonly #parts: MongoReadMarkersParts;
  readonly #unread: Unread;

  constructor(parts: MongoReadMarkersParts) {
    this.#parts = parts;
    this.#unread = new Unread(parts.db);
  }

  async mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void> {
    if (places.length === 0) return;
    const updates = [...new Set(places)].map((channelId) => ({
      updateOne: { filter: { channelId }, update: { $max: { [`read.${userId}`]: new Date(time) } }, upsert: true },
    }));
    // If two servers create the document of a place at the same time, the unique index refuses one
    // of them. Its second attempt finds the document.
    const write = () => this.#parts.db.markers.bulkWrite(updates, { ordered: false });
    await answered(write().catch(write));
  }

  async unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    const distinct = [...new Set(places)];
    if (distinct.length === 0) return [];
    const { store } = this.#parts;
    const [newest, times] = await Promise.all([store.newest(distinct), answered(this.#times(userId, distinct))]);
    await store.settle(newest);
    const positions = distinct.map(
      (place): ReaderPosition => ({ place, since: times.get(place) ?? null, seq: newest.get(place) ?? 0 }),
    );
    const counts = await answered(this.#unread.count(userId, positions));
    return places.flatMap((place) => counts.get(place) ?? []);
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
}
