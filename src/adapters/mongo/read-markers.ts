import type { ReadMarkers, UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { answered, type MongoDatabase } from './database.ts';
import type { MongoMessageStore } from './message-store.ts';
import { type Asked, Unread } from './unread.ts';

/** When users last looked, in the original's `messageTime`. */
export class MongoReadMarkers implements ReadMarkers {
  readonly #db: MongoDatabase;
  readonly #store: MongoMessageStore;
  readonly #unread: Unread;

  /** `store` of the same server: it sees to it that counts include all that is stored. */
  constructor(db: MongoDatabase, store: MongoMessageStore) {
    this.#db = db;
    this.#store = store;
    this.#unread = new Unread(db);
  }

  async mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void> {
    if (places.length === 0) return;
    const updates = [...new Set(places)].map((channelId) => ({
      updateOne: { filter: { channelId }, update: { $max: { [`read.${userId}`]: new Date(time) } }, upsert: true },
    }));
    // Two servers that make a place's document at once: one is refused by the unique index, and finds it the second time.
    const write = () => this.#db.markers.bulkWrite(updates, { ordered: false });
    await answered(write().catch(write));
  }

  async unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    const distinct = [...new Set(places)];
    if (distinct.length === 0) return [];
    const [newest, since] = await Promise.all([this.#store.newest(distinct), answered(this.#times(userId, distinct))]);
    await this.#store.settle(newest);
    const asked = distinct.map((place): Asked => ({ place, since: since.get(place), seq: newest.get(place) ?? 0 }));
    const counts = await answered(this.#unread.count(userId, asked));
    return places.flatMap((place) => counts.get(place) ?? []);
  }

  async #times(userId: UserId, places: readonly ConversationKey[]): Promise<Map<string, Date>> {
    const options = { projection: { channelId: 1, [`read.${userId}`]: 1 }, hint: 'place' };
    const docs = await this.#db.markers.find({ channelId: { $in: [...places] } }, options).toArray();
    return new Map(
      docs.flatMap(({ channelId, read }) => {
        const time = read?.[String(userId)];
        return time instanceof Date ? [[channelId, time]] : [];
      }),
    );
  }
}
