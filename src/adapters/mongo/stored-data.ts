import type { ReadPosition } from '../../application/ports/read-markers.ts';
import type { ExpiredPart, PlacesPart, StoredData } from '../../application/ports/stored-data.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { type ConversationKey, channelKey, roomKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import { answered, type MongoDatabase } from './database.ts';
import { type MessageDocument, readMessage } from './documents.ts';
import { Expiry } from './expiry.ts';
import { FILE_TIME } from './indexes.ts';
import type { MongoMessageStore } from './message-store.ts';
import { PersonalData } from './personal-data.ts';
import { PlaceList } from './place-list.ts';

const FILE_TYPES = ['image', 'video', 'file'];

export interface MongoStoredDataParts {
  readonly db: MongoDatabase;
  /** Projects a place before it is looked through. */
  readonly store: Pick<MongoMessageStore, 'newest' | 'settle'>;
}

/** The stored data of MongoDB, for jobs. */
export class MongoStoredData implements StoredData {
  readonly #parts: MongoStoredDataParts;
  readonly #places: PlaceList;
  readonly #expiry: Expiry;
  readonly #personal: PersonalData;

  constructor(parts: MongoStoredDataParts) {
    this.#parts = parts;
    this.#places = new PlaceList(parts.db);
    this.#expiry = new Expiry(parts.db);
    this.#personal = new PersonalData(parts.db);
  }

  places(cursor: string | null, limit: number): Promise<PlacesPart> {
    return answered(this.#places.part(cursor, limit));
  }

  async expired(place: ConversationKey, after: number, before: number, limit: number): Promise<ExpiredPart> {
    await this.#settle(place);
    return answered(this.#expiry.expired(place, after, before, limit));
  }

  removeExpired(place: ConversationKey, part: ExpiredPart, before: number): Promise<void> {
    return answered(this.#expiry.remove(place, part, before));
  }

  async expiredFiles(before: number, limit: number): Promise<readonly Message[]> {
    const { db } = this.#parts;
    // One read for each type keeps the order of the index.
    const read = async (place: ConversationKey): Promise<Message[]> => {
      const filter = { type: { $in: FILE_TYPES }, localDateTime: { $lt: new Date(before) } };
      const query = { filter, sort: { localDateTime: 1 }, hint: FILE_TIME };
      const docs = await db.find<MessageDocument>(db.messagesOf(place), limit, query);
      return docs.map((doc) => {
        const id = Number(doc.channelId);
        return readMessage(place.startsWith('c') ? channelKey(id) : roomKey(id), doc);
      });
    };
    const found = await answered(Promise.all([read('r-1'), read('c-1')]));
    return found
      .flat()
      .sort((a, b) => a.time - b.time)
      .slice(0, limit);
  }

  async countFiles(from: number, before: number): Promise<number> {
    const { db } = this.#parts;
    const filter = { type: { $in: FILE_TYPES }, localDateTime: { $gte: new Date(from), $lt: new Date(before) } };
    const counts = (['r-1', 'c-1'] as const).map((place) =>
      db.messagesOf(place).countDocuments(filter, { hint: FILE_TIME }),
    );
    return (await answered(Promise.all(counts))).reduce((sum, count) => sum + count, 0);
  }

  async messagesOf(
    userId: UserId,
    place: ConversationKey,
    after: MessageId | null,
    limit: number,
  ): Promise<readonly Message[]> {
    await this.#settle(place);
    return answered(this.#personal.messagesOf(userId, place, after, limit));
  }

  eventsOf(userId: UserId, place: ConversationKey, from: number, to: number): Promise<readonly StoredEvent[]> {
    return answered(this.#personal.eventsOf(userId, place, from, to));
  }

  async anonymiseEvents(userId: UserId, place: ConversationKey, from: number, to: number): Promise<void> {
    await this.#settle(place);
    return answered(this.#personal.anonymiseEvents(userId, place, from, to));
  }

  async anonymiseMessages(userId: UserId, place: ConversationKey, ids: readonly MessageId[]): Promise<void> {
    await this.#settle(place);
    return answered(this.#personal.anonymiseMessages(userId, place, ids));
  }

  readingOf(userId: UserId, place: ConversationKey): Promise<ReadPosition | null> {
    return answered(this.#personal.readingOf(userId, place));
  }

  forgetReader(userId: UserId, place: ConversationKey): Promise<void> {
    return answered(this.#personal.forgetReader(userId, place));
  }

  /** A batch that is projected later would bring back what was removed. */
  async #settle(place: ConversationKey): Promise<void> {
    const { store } = this.#parts;
    await store.settle(await store.newest([place]));
  }
}
