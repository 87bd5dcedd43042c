import { setTimeout as delay } from 'node:timers/promises';
import { MongoBulkWriteError, type ObjectId } from 'mongodb';
import type { AppendOutcome } from '../../application/ports/message-store.ts';
import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { NONCE_LIFETIME_MS } from '../../domain/nonce.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import { asStoreRefusal, type MongoDatabase } from './database.ts';
import { type EventDocument, nonceKey, nonceKeyOf, readEvent } from './documents.ts';
import { DUPLICATE_KEY, TEMPORARY_CODES } from './error-codes.ts';
import type { EventLog } from './event-log.ts';
import { NONCE, NONCE_AGE } from './indexes.ts';

/**
 * Reads of a document that another server has written and that no majority has yet. The waits
 * between them are 1, 2, 4, ... milliseconds, about a second in all.
 */
const MAX_READS = 10;
const UNKNOWN_OUTCOME: AppendOutcome = { kind: 'failed', error: new Error('MongoDB reported no outcome for a batch') };

/**
 * The result of one document's insert. `sent twice`: the number is taken, perhaps by our own first
 * attempt to insert the same document.
 */
type InsertResult = 'stored' | 'number taken' | 'sent twice' | 'nonce taken' | Error;

export interface AppenderParts {
  readonly db: MongoDatabase;
  readonly log: EventLog;
  /** Milliseconds since 1970, for the age of nonces. */
  readonly now: () => number;
}

/**
 * Inserts batches, all of a call by one unordered insert. If MongoDB refuses a document, it finds
 * out which document is in the way.
 */
export class Appender {
  readonly #parts: AppenderParts;

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /** Inserts the documents and returns the outcome of each. */
  async add(docs: readonly EventDocument[]): Promise<AppendOutcome[]> {
    const results = await this.#insert(docs);
    return Promise.all(docs.map((doc, i) => this.#outcomeOf(doc, results[i])));
  }

  async byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null> {
    const key = nonceKey(userId, nonce);
    const holder = await this.#parts.db.events.findOne({ n: key }, { hint: NONCE });
    return holder === null || this.#isExpired(holder) ? null : eventWith(holder, key);
  }

  /** Removes nonces older than 24 hours, so that their index stays small. */
  async removeOldNonces(): Promise<void> {
    const { db, now } = this.#parts;
    const filter = { n: { $exists: true }, at: { $lte: new Date(now() - NONCE_LIFETIME_MS) } };
    await db.events.updateMany(filter, { $unset: { n: '' } }, { hint: NONCE_AGE });
  }

  async #insert(docs: readonly EventDocument[], isRepeat = false): Promise<InsertResult[]> {
    try {
      await this.#parts.db.events.insertMany(docs, { ordered: false });
      return docs.map(() => 'stored');
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      if (!(cause instanceof MongoBulkWriteError)) return this.#repeatIfUncertain(docs, cause, isRepeat);
      const refused = Array.isArray(cause.writeErrors) ? cause.writeErrors : [cause.writeErrors];
      // In both cases the error says nothing certain about the documents that were not refused.
      const isUncertain = refused.length === 0 || cause.result.getWriteConcernError() !== undefined;
      if (isUncertain) return this.#repeatIfUncertain(docs, cause, isRepeat);
      const results: InsertResult[] = docs.map(() => 'stored');
      for (const { index, code, errmsg } of refused) {
        if (code !== DUPLICATE_KEY) results[index] = refusedBatch(code, errmsg);
        else if (/ index: nonce dup key/.test(errmsg ?? '')) results[index] = 'nonce taken';
        else results[index] = isRepeat ? 'sent twice' : 'number taken';
      }
      return results;
    }
  }

  /**
   * Inserts once more if a new connection or a new primary may help. A document that the first
   * attempt inserted is recognized by its `_id`.
   */
  async #repeatIfUncertain(docs: readonly EventDocument[], cause: Error, isRepeat: boolean): Promise<InsertResult[]> {
    // The driver wraps the error of a broken connection into the error for all documents.
    const inner = cause instanceof MongoBulkWriteError ? (cause.errorResponse as unknown) : cause;
    const refusal = asStoreRefusal(inner instanceof Error ? inner : cause);
    if (refusal.code === 'store-failed') return docs.map(() => refusal);
    return isRepeat ? docs.map(() => cause) : this.#insert(docs, true);
  }

  async #outcomeOf(doc: EventDocument, result: InsertResult | undefined): Promise<AppendOutcome> {
    if (result === undefined) return UNKNOWN_OUTCOME;
    try {
      if (result === 'number taken') return await this.#afterConflict(doc, { kind: 'conflict' });
      if (result === 'sent twice') return await this.#afterConflict(doc, UNKNOWN_OUTCOME);
      if (result === 'nonce taken') return await this.#afterRepeat(doc);
    } catch (error) {
      return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
    }
    if (result !== 'stored') return { kind: 'failed', error: result };
    this.#parts.log.learn(doc.p, doc.l);
    return { kind: 'stored' };
  }

  /**
   * Waits until the document with the same number can be read. Otherwise a caller that tries again
   * at once would see the number as free. Returns `unreadable` if the document does not appear.
   */
  async #afterConflict(doc: EventDocument, unreadable: AppendOutcome): Promise<AppendOutcome> {
    const { db, log } = this.#parts;
    for (let read = 0; read < MAX_READS; read += 1) {
      const rival = await db.events.findOne({ p: doc.p, f: doc.f }, { projection: { l: 1 } });
      if (rival !== null) {
        log.learn(doc.p, rival.l);
        return rival._id.equals(doc._id) ? { kind: 'stored' } : { kind: 'conflict' };
      }
      await delay(2 ** read);
    }
    return unreadable;
  }

  /**
   * Finds the event that holds one of the document's nonces. A nonce that has expired is released,
   * then the insert is repeated.
   */
  async #afterRepeat(doc: EventDocument): Promise<AppendOutcome> {
    for (let read = 0; read < MAX_READS; read += 1) {
      const holders = await this.#parts.db.events.find({ n: { $in: [...(doc.n ?? [])] } }).toArray();
      const expired = holders.filter((holder) => this.#isExpired(holder));
      for (const [index, body] of doc.e.entries()) {
        const key = nonceKeyOf(body);
        if (key === null) continue;
        const holder = holders.find((candidate) => candidate.n?.includes(key));
        if (holder === undefined || expired.includes(holder)) continue;
        if (holder._id.equals(doc._id)) return { kind: 'stored' };
        const event = eventWith(holder, key);
        if (event !== null) return { kind: 'repeated', index, event };
      }
      await this.#release(expired.map(({ _id }) => _id));
      // The batch that holds the nonce has expired, is not readable yet, or was rolled back. Only
      // another insert shows which.
      const [result] = await this.#insert([doc]);
      if (result !== 'nonce taken') return this.#outcomeOf(doc, result);
      await delay(2 ** read);
    }
    return { kind: 'failed', error: new Error('a nonce is taken, and the batch that holds it cannot be read') };
  }

  async #release(ids: readonly ObjectId[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#parts.db.events.updateMany({ _id: { $in: [...ids] } }, { $unset: { n: '' } });
  }

  #isExpired(holder: EventDocument): boolean {
    return holder.at.getTime() <= this.#parts.now() - NONCE_LIFETIME_MS;
  }
}

function refusedBatch(code: number, message: string | undefined): Error {
  const error = new Error(`MongoDB refused a batch (code ${code}): ${message}`);
  if (TEMPORARY_CODES.has(code)) return error;
  return new Refusal('store-failed', 'the database refused the operation', { cause: error });
}

function eventWith({ p, f, e }: EventDocument, key: string): SequencedEvent | null {
  const index = e.findIndex((body) => nonceKeyOf(body) === key);
  const body = e[index];
  return body === undefined ? null : readEvent(p, f + index, body);
}
