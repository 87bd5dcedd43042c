import {
  type Collection,
  type Db,
  type Document,
  MongoClient,
  type MongoClientOptions,
  MongoServerError,
} from 'mongodb';
import { Refusal } from '../../domain/errors.ts';
import { type ConversationKey, isChannel } from '../../domain/place.ts';
import { AbandonedTransactions } from './abandoned-transactions.ts';
import type { EventDocument, HoleDocument, MessageDocument, ReadDocument } from './documents.ts';
import { ensureIndexes } from './indexes.ts';
import { PublishedMarks } from './published-marks.ts';

/** No caller waits longer. The driver's own limits add up over its retries, so they only free its connections. */
const BOUND_MS = 5_000;
const SOCKET_MS = 4_000;
const SELECTION_MS = 3_000;
const DEFAULT_DATABASE = 'chat';

/** How MongoDB's own tools show our connections. */
export const APP_NAME = 'chat-server';

const COMMON: MongoClientOptions = {
  appName: APP_NAME,
  serverSelectionTimeoutMS: SELECTION_MS,
  connectTimeoutMS: SELECTION_MS,
  heartbeatFrequencyMS: 3_000,
  // For the driver's repeats MongoDB keeps every version of one document for minutes, a new one with each write; to write those out of its cache stopped all writers for 100 ms
  // at a time. The appender repeats by itself.
  retryWrites: false,
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: SOCKET_MS },
};

/** One server's connection to MongoDB, and the collections. Reads see what a majority has; writes wait for it and its journal. */
export class MongoDatabase {
  readonly client: MongoClient;
  readonly events: Collection<EventDocument>;
  readonly holes: Collection<HoleDocument>;
  readonly markers: Collection<ReadDocument>;
  readonly marks: PublishedMarks;
  readonly abandoned: AbandonedTransactions;
  readonly #db: Db;
  readonly #direct: Collection<MessageDocument>;
  readonly #channel: Collection<MessageDocument>;

  /**
   * Connects and makes indexes that are missing. The database is that of the URL, else `chat`.
   * @throws Error for people when no primary answers within 3 s, or when it is no replica set
   */
  static async connect(url: string, options: { readonly database?: string } = {}): Promise<MongoDatabase> {
    const named = new URL(url.replace(/^mongodb(\+srv)?:\/\/[^/?]*/, 'http://host')).pathname.length > 1;
    const name = options.database ?? (named ? undefined : DEFAULT_DATABASE);
    // On large collections of an original server the first indexes take longer than any operation may later.
    await using setUp = new MongoClient(url, COMMON);
    await setUp.connect();
    await refuseStandalone(setUp);
    await ensureIndexes(setUp.db(name));
    const client = new MongoClient(url, { ...COMMON, socketTimeoutMS: SOCKET_MS });
    try {
      await client.connect();
      return new MongoDatabase(client, client.db(name));
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(client: MongoClient, db: Db) {
    this.client = client;
    this.#db = db;
    this.events = db.collection('event');
    this.holes = db.collection('eventHole');
    this.markers = db.collection('messageTime');
    this.#direct = db.collection('directMessage');
    this.#channel = db.collection('channelMessage');
    this.marks = new PublishedMarks(this.events);
    this.abandoned = new AbandonedTransactions(client, APP_NAME);
  }

  /**
   * What a query of at most `limit` documents finds, in one answer: the driver's cursor takes half as much CPU again. Asked once more where a connection broke.
   * `query`: the fields of MongoDB's command `find` beside these.
   */
  async find<T>(collection: { readonly collectionName: string }, limit: number, query: Document): Promise<T[]> {
    const command = {
      find: collection.collectionName,
      ...query,
      limit,
      batchSize: limit,
      singleBatch: true,
      readConcern: COMMON.readConcern,
    };
    const ask = (): Promise<Document> => this.#db.command(command);
    const answer = await ask().catch((error: unknown) => {
      if (asStoreRefusal(error).code !== 'try-again') throw error;
      return ask();
    });
    return answer.cursor.firstBatch;
  }

  messagesOf(place: ConversationKey): Collection<MessageDocument> {
    return isChannel(place) ? this.#channel : this.#direct;
  }

  /** Ends the connection, after what was said to be published is written. Close the stores first. Idempotent. */
  async close(): Promise<void> {
    await inTime(this.marks.close()).catch(() => {});
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

/** The answer, or a rejection after the bound; what was asked may still happen. */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Refusal('try-again', 'the database does not answer')), BOUND_MS);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** An answer of MongoDB within the bound, with its failures told as the ports want them. */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await inTime(answer);
  } catch (error) {
    throw asStoreRefusal(error);
  }
}

/** Codes of what a new primary or a little time mends. */
const PASSING = new Set([6, 7, 50, 89, 91, 112, 134, 189, 251, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

export function asStoreRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof MongoServerError && !PASSING.has(Number(error.code))) {
    return new Refusal('store-failed', 'the database refused the operation', { cause: error });
  }
  return new Refusal('try-again', 'the database does not answer', { cause: error });
}
