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
import { withTimeout } from '../support/with-timeout.ts';
import { AbandonedTransactions } from './abandoned-transactions.ts';
import type {
  EventDocument,
  FileLink,
  HoleDocument,
  JobDocument,
  MessageDocument,
  OrderDocument,
  PositionDocument,
  ReadDocument,
  TurnDocument,
} from './documents.ts';
import { TEMPORARY_CODES } from './error-codes.ts';
import { ensureIndexes } from './indexes.ts';
import { PublishedMarks } from './published-marks.ts';
import { StoreClock } from './store-clock.ts';

/**
 * The longest time that a caller waits. The driver's own limits add up over its retries, so they
 * only free its connections.
 */
const TIMEOUT_MS = 5_000;
const SOCKET_TIMEOUT_MS = 4_000;
const SELECTION_TIMEOUT_MS = 3_000;
const DEFAULT_DATABASE = 'chat';

/** The name of our connections in MongoDB's own tools. */
export const APP_NAME = 'chat-server';

/**
 * The URL may contain any option of the driver. The options here are stronger, so that a URL cannot
 * weaken what an acknowledgement means. Where the driver knows an option under two names, the URL's
 * name wins, so it stands here too.
 */
const COMMON: MongoClientOptions = {
  appName: APP_NAME,
  serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
  connectTimeoutMS: SELECTION_TIMEOUT_MS,
  heartbeatFrequencyMS: 3_000,
  // For retryable writes MongoDB rewrites one document with each write and keeps all its versions
  // for minutes. Evicting them from the cache stopped all writers for 100 ms at a time. The
  // appender repeats inserts itself instead.
  retryWrites: false,
  retryReads: true,
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  readConcernLevel: 'majority',
  w: 'majority',
  journal: true,
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: SOCKET_TIMEOUT_MS },
};

export interface MongoDatabaseOptions {
  readonly database?: string;
  /** Makes links for servers of the original. Given only where they read the same collections. */
  readonly fileLink?: FileLink | null;
  /** Called after the indexes are there. It may take any time. */
  readonly prepare?: (db: Db) => Promise<void>;
}

/**
 * The connection of one server to MongoDB, and the collections. Reads see data that a majority has.
 * Writes wait for a majority and its journals.
 */
export class MongoDatabase {
  readonly client: MongoClient;
  readonly clock: StoreClock;
  readonly events: Collection<EventDocument>;
  readonly holes: Collection<HoleDocument>;
  readonly markers: Collection<ReadDocument>;
  readonly positions: Collection<PositionDocument>;
  readonly orders: Collection<OrderDocument>;
  readonly turns: Collection<TurnDocument>;
  readonly jobs: Collection<JobDocument>;
  readonly marks: PublishedMarks;
  /** Null where no server of the original reads the documents. */
  readonly fileLink: FileLink | null;
  readonly abandoned: AbandonedTransactions;
  readonly #db: Db;
  readonly #direct: Collection<MessageDocument>;
  readonly #channel: Collection<MessageDocument>;

  /**
   * Connects and creates missing indexes. The database is `options.database`, otherwise the one in
   * the URL, otherwise `chat`.
   * @throws Error with a human-readable message if no primary answers within 3 s, or if the server
   * is not a replica set
   */
  static async connect(url: string, options: MongoDatabaseOptions = {}): Promise<MongoDatabase> {
    const name = options.database ?? databaseNameOf(url);
    // Without a socket timeout: on large collections of an original server, creating the first
    // indexes takes longer than any later operation may.
    await using setUp = clientOf(url);
    await setUp.connect();
    await refuseStandalone(setUp);
    await ensureIndexes(setUp.db(name));
    await options.prepare?.(setUp.db(name));
    const client = clientOf(url, { socketTimeoutMS: SOCKET_TIMEOUT_MS });
    try {
      const clock = new StoreClock(client);
      await client.connect();
      return new MongoDatabase(client, client.db(name), clock, options.fileLink ?? null);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(client: MongoClient, db: Db, clock: StoreClock, fileLink: FileLink | null) {
    this.client = client;
    this.fileLink = fileLink;
    this.clock = clock;
    this.#db = db;
    this.events = db.collection('event');
    this.holes = db.collection('eventHole');
    this.markers = db.collection('messageTime');
    this.positions = db.collection('readPosition');
    this.orders = db.collection('moderation');
    this.turns = db.collection('slowTurn');
    this.jobs = db.collection('job');
    this.#direct = db.collection('directMessage');
    this.#channel = db.collection('channelMessage');
    this.marks = new PublishedMarks(this.events);
    this.abandoned = new AbandonedTransactions({ client, appName: APP_NAME });
  }

  collection<T extends Document>(name: string): Collection<T> {
    return this.#db.collection<T>(name);
  }

  /**
   * Runs the command `find` and returns at most `limit` documents from its first answer. The
   * driver's cursor would take half as much CPU again. The command is repeated once if the
   * connection breaks.
   * @param query the other fields of the command
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
    const run = (): Promise<Document> => this.#db.command(command);
    const answer = await run().catch((error: unknown) => {
      if (asStoreRefusal(error).code !== 'try-again') throw error;
      return run();
    });
    return answer.cursor.firstBatch;
  }

  messagesOf(place: ConversationKey): Collection<MessageDocument> {
    return isChannel(place) ? this.#channel : this.#direct;
  }

  /**
   * Writes the pending marks of published batches, then closes the connection. Close the stores
   * first. Idempotent.
   */
  async close(): Promise<void> {
    await inTime(this.marks.close()).catch(() => {});
    await this.client.close();
  }
}

/** A client that is not connected yet, with the options of this server. */
export function clientOf(url: string, options: MongoClientOptions = {}): MongoClient {
  return new MongoClient(url, { ...COMMON, ...options });
}

/**
 * The name for the driver's `db`: `chat` if the URL names no database. Undefined means: the
 * database of the URL.
 */
export function databaseNameOf(url: string): string | undefined {
  const hasName = new URL(url.replace(/^mongodb(\+srv)?:\/\/[^/?]*/, 'http://host')).pathname.length > 1;
  return hasName ? undefined : DEFAULT_DATABASE;
}

/** @throws Error for a MongoDB without transactions */
export async function refuseStandalone(client: MongoClient): Promise<void> {
  const hello = await client.db('admin').command({ hello: 1 });
  if (hello.setName !== undefined || hello.msg === 'isdbgrid') return;
  throw new Error(
    'MONGODB_URL names a standalone mongod, which has no transactions; start it with --replSet and initiate the replica set',
  );
}

/**
 * The answer, or a rejection with `try-again` after the timeout. The operation itself may still
 * take effect.
 */
export function inTime<T>(answer: Promise<T>): Promise<T> {
  return withTimeout(TIMEOUT_MS, answer, () => new Refusal('try-again', 'the database does not answer'));
}

/** The answer within the timeout. Errors become the refusals that the ports promise. */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await inTime(answer);
  } catch (error) {
    throw asStoreRefusal(error);
  }
}

/** `store-failed` for an operation that MongoDB refused, `try-again` for anything else. */
export function asStoreRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof MongoServerError && !isTemporaryError(error)) {
    return new Refusal('store-failed', 'the database refused the operation', { cause: error });
  }
  return new Refusal('try-again', 'the database does not answer', { cause: error });
}

/** Labels by which MongoDB and the driver mark errors that end with a new attempt. */
const TEMPORARY_LABELS = ['RetryableWriteError', 'TransientTransactionError', 'UnknownTransactionCommitResult'];

function isTemporaryError(error: MongoServerError): boolean {
  return TEMPORARY_CODES.has(Number(error.code)) || TEMPORARY_LABELS.some((label) => error.hasErrorLabel(label));
}
