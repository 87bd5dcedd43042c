import type { Collection, Db, MongoClient } from 'mongodb';
import type {
  KeptMessage,
  LogEntry,
  RepeatedNonce,
  StoreContent,
} from '../../application/verification/store-content.ts';
import { NONCE_LIFETIME_MS } from '../../domain/nonce.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import { STORED_KIND_NAMES, STORED_KINDS } from '../../domain/stored-event.ts';
import { clientOf, databaseNameOf } from './database.ts';
import { channelIdOf, type EventDocument, type HoleDocument, type MessageDocument, readEvents } from './documents.ts';

/**
 * Reads all collections of MongoDB. Changes nothing. Events that servers store meanwhile, and those
 * that wait for their projection, are loose.
 */
export class MongoStoreContent implements StoreContent {
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #events: Collection<EventDocument>;

  /** @throws Error if no primary answers within 3 s */
  static async connect(url: string): Promise<MongoStoreContent> {
    const client = clientOf(url);
    await client.connect();
    return new MongoStoreContent(client, client.db(databaseNameOf(url)));
  }

  private constructor(client: MongoClient, db: Db) {
    this.#client = client;
    this.#db = db;
    this.#events = db.collection('event');
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async *places(): AsyncIterable<ConversationKey> {
    const places = this.#events.aggregate<{ _id: ConversationKey }>(
      [{ $group: { _id: '$p' } }, { $sort: { _id: 1 } }],
      { allowDiskUse: true },
    );
    for await (const { _id } of places) yield _id;
  }

  async newest(place: ConversationKey): Promise<number> {
    const [last] = await this.#events.find({ p: place }).sort({ f: -1 }).limit(1).project({ l: 1 }).toArray();
    return Number(last?.l ?? 0);
  }

  async *log(place: ConversationKey): AsyncIterable<LogEntry> {
    for await (const batch of this.#events.find({ p: place }).sort({ f: 1 })) {
      if (batch.removed === true) yield { kind: 'held', from: batch.f, to: batch.l };
      const isLoose = batch.proj !== undefined || batch.legacy === true || batch.failed !== undefined;
      for (const event of readEvents(batch)) yield { kind: 'event', event, isLoose };
    }
  }

  async *messages(place: ConversationKey): AsyncIterable<KeptMessage> {
    const messages = this.#db.collection<MessageDocument>(isChannel(place) ? 'channelMessage' : 'directMessage');
    const found = messages
      .find({ channelId: channelIdOf(place) })
      .project<MessageDocument>({ seq: 1, content: 1, file: 1 });
    for await (const { _id, seq, content, file } of found) {
      yield { id: String(_id), seq: seq ?? null, content: file ?? content ?? '' };
    }
  }

  async holes(place: ConversationKey): Promise<number> {
    return (await this.#db.collection<HoleDocument>('eventHole').findOne({ _id: place }))?.t ?? 0;
  }

  async *repeatedNonces(): AsyncIterable<RepeatedNonce> {
    const creating = STORED_KIND_NAMES.filter((kind) => STORED_KINDS[kind].creates);
    const found = this.#events.aggregate<{ _id: { u: number; n: string }; count: number; from: number; to: number }>(
      [
        { $match: { 'e.nonce': { $exists: true } } },
        { $unwind: '$e' },
        { $match: { 'e.nonce': { $exists: true }, 'e.kind': { $in: creating } } },
        {
          $group: {
            _id: { u: '$e.userId', n: '$e.nonce' },
            count: { $sum: 1 },
            from: { $min: '$e.time' },
            to: { $max: '$e.time' },
          },
        },
        { $match: { count: { $gt: 1 } } },
      ],
      { allowDiskUse: true },
    );
    for await (const { _id, count, from, to } of found) {
      if (to - from < NONCE_LIFETIME_MS) yield { userId: _id.u, nonce: _id.n, count };
    }
  }
}
