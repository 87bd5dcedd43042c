import { type Collection, type Db, MongoClient, MongoServerError } from 'mongodb';
import { type ConversationKey, isChannel } from '../../domain/conversation.ts';
import { Refusal } from '../../domain/errors.ts';
import type { EventDocument, HoleDocument, MessageDocument, ReadDocument } from './documents.ts';
import { ensureIndexes } from './indexes.ts';
import { PublishedMarks } from './published-marks.ts';

/** No operation takes longer, retries and waiting for a primary included. */
const BOUND_MS = 5_000;
const SELECTION_MS = 3_000;
const DEFAULT_DATABASE = 'chat';

/** One server's connection to MongoDB, and the collections. Reads see what a majority has; writes wait for it and its journal. */
export class MongoDatabase {
  readonly client: MongoClient;
  readonly events: Collection<EventDocument>;
  readonly holes: Collection<HoleDocument>;
  readonly markers: Collection<ReadDocument>;
  readonly marks: PublishedMarks;
  readonly #direct: Collection<MessageDocument>;
  readonly #channel: Collection<MessageDocument>;

  /**
   * Connects and makes indexes that are missing. The database is that of the URL, else `chat`.
   * @throws Error for people when no primary answers within 3 s, or when it is no replica set
   */
  static async connect(url: string, options: { readonly database?: string } = {}): Promise<MongoDatabase> {
    const client = new MongoClient(url, {
      serverSelectionTimeoutMS: SELECTION_MS,
      connectTimeoutMS: SELECTION_MS,
      timeoutMS: BOUND_MS,
      readPreference: 'primary',
      readConcern: { level: 'majority' },
      writeConcern: { w: 'majority', journal: true },
    });
    try {
      await client.connect();
      await refuseStandalone(client);
      const named = new URL(url.replace(/^mongodb(\+srv)?:\/\/[^/?]*/, 'http://host')).pathname.length > 1;
      const database = new MongoDatabase(client, client.db(options.database ?? (named ? undefined : DEFAULT_DATABASE)));
      await ensureIndexes(client.db(database.events.dbName, { timeoutMS: 0 }));
      return database;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(client: MongoClient, db: Db) {
    this.client = client;
    this.events = db.collection('event');
    this.holes = db.collection('eventHole');
    this.markers = db.collection('messageTime');
    this.#direct = db.collection('directMessage');
    this.#channel = db.collection('channelMessage');
    this.marks = new PublishedMarks(this.events);
  }

  messagesOf(place: ConversationKey): Collection<MessageDocument> {
    return isChannel(place) ? this.#channel : this.#direct;
  }

  /** Ends the connection, after what was said to be published is written. Close the stores first. Idempotent. */
  async close(): Promise<void> {
    await this.marks.close();
    await this.client.close();
  }
}

async function refuseStandalone(client: MongoClient): Promise<void> {
  const hello = await client.db('admin').command({ hello: 1 });
  if (hello.setName !== undefined || hello.msg === 'isdbgrid') return;
  throw new Error(
    'MONGODB_URL is a standalone mongod; transactions are needed: start it with --replSet and initiate it',
  );
}

/** An answer of MongoDB, with its failures told as the ports want them. */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asStoreRefusal(error);
  }
}

/** Codes of what a new primary or a little time mends. */
const PASSING = new Set([6, 7, 50, 89, 91, 112, 134, 189, 251, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

export function asStoreRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof MongoServerError && !PASSING.has(Number(error.code))) {
    return new Refusal('store-failed', `MongoDB refused: ${error.codeName ?? error.code}`);
  }
  return new Refusal('try-again', `MongoDB does not answer: ${reason}`);
}
