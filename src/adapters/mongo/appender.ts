import { setTimeout as delay } from 'node:timers/promises';
import { MongoBulkWriteError, type ObjectId } from 'mongodb';
import type { AppendOutcome } from '../../application/ports/message-store.ts';
import type { UserId } from '../../domain/ids.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import { asStoreRefusal, type MongoDatabase } from './database.ts';
import { type EventDocument, nonceKey, nonceKeyOf, readEvent } from './documents.ts';
import type { EventLog } from './event-log.ts';
import { NONCE } from './indexes.ts';

export const NONCE_MS = 24 * 60 * 60 * 1000;
const DUPLICATE = 11000;
/** Waits of 1, 2, 4, ... milliseconds until a rival's document is on a majority and can be read: about a second. */
const LOOKS = 10;
const UNKNOWN: AppendOutcome = { kind: 'failed', error: new Error('MongoDB does not tell what became of a batch') };

/** `sent twice`: the number is taken, and it may be by the first attempt to write the same document. */
type Fate = 'stored' | 'number taken' | 'sent twice' | 'nonce taken' | Error;

/** Writes batches, all of a call by one unordered insert, and finds out what a refused one ran into. */
export class Appender {
  readonly #db: MongoDatabase;
  readonly #log: EventLog;
  readonly #now: () => number;

  constructor(db: MongoDatabase, log: EventLog, now: () => number) {
    this.#db = db;
    this.#log = log;
    this.#now = now;
  }

  /** The outcome of each document. */
  async add(docs: readonly EventDocument[]): Promise<AppendOutcome[]> {
    const fates = await this.#insert(docs);
    return Promise.all(docs.map((doc, i) => this.#settle(doc, fates[i] ?? new Error('MongoDB told no outcome'))));
  }

  async byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null> {
    const key = nonceKey(userId, nonce);
    const holder = await this.#db.events.findOne({ n: key }, { hint: NONCE });
    return holder === null || this.#isOld(holder) ? null : eventWith(holder, key);
  }

  /** Takes away nonces that are past their day, so that their index holds no more than that. */
  async sweep(): Promise<void> {
    const filter = { n: { $exists: true }, at: { $lte: new Date(this.#now() - NONCE_MS) } };
    await this.#db.events.updateMany(filter, { $unset: { n: '' } }, { hint: 'nonce_age' });
  }

  async #insert(docs: readonly EventDocument[], again = false): Promise<Fate[]> {
    try {
      await this.#db.events.insertMany(docs, { ordered: false });
      return docs.map(() => 'stored');
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      if (!(cause instanceof MongoBulkWriteError)) return this.#doubted(docs, cause, again);
      const refused = Array.isArray(cause.writeErrors) ? cause.writeErrors : [cause.writeErrors];
      // Without any refused document, or with a doubt about durability, nothing is known of the others.
      const doubt = refused.length === 0 || cause.result.getWriteConcernError() !== undefined;
      if (doubt) return this.#doubted(docs, cause, again);
      const fates: Fate[] = docs.map(() => 'stored');
      for (const { index, code, errmsg } of refused) {
        if (code !== DUPLICATE) fates[index] = new Error(`MongoDB refused a batch: ${errmsg}`);
        else if (/ index: nonce dup key/.test(errmsg ?? '')) fates[index] = 'nonce taken';
        else fates[index] = again ? 'sent twice' : 'number taken';
      }
      return fates;
    }
  }

  /** Once more where a new connection or primary may do better: a document that is there already says so by its id. */
  async #doubted(docs: readonly EventDocument[], cause: Error, again: boolean): Promise<Fate[]> {
    // A connection that broke is told inside of the error for all documents.
    const reason = cause instanceof MongoBulkWriteError ? (cause.errorResponse as unknown) : cause;
    if (again || asStoreRefusal(reason instanceof Error ? reason : cause).code !== 'try-again') {
      return docs.map(() => cause);
    }
    return this.#insert(docs, true);
  }

  async #settle(doc: EventDocument, fate: Fate): Promise<AppendOutcome> {
    try {
      if (fate === 'number taken') return await this.#clashed(doc, { kind: 'conflict' });
      if (fate === 'sent twice') return await this.#clashed(doc, UNKNOWN);
      if (fate === 'nonce taken') return await this.#repeated(doc);
    } catch (error) {
      return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
    }
    if (fate !== 'stored') return { kind: 'failed', error: fate };
    this.#log.learn(doc.p, doc.l);
    return { kind: 'stored' };
  }

  /** Waits until the rival can be read: whoever tries again at once must find the number taken. `hidden`: the outcome where it can't. */
  async #clashed(doc: EventDocument, hidden: AppendOutcome): Promise<AppendOutcome> {
    for (let look = 0; look < LOOKS; look += 1) {
      const rival = await this.#db.events.findOne({ p: doc.p, f: doc.f }, { projection: { l: 1 } });
      if (rival !== null) {
        this.#log.learn(doc.p, rival.l);
        return rival._id.equals(doc._id) ? { kind: 'stored' } : { kind: 'conflict' };
      }
      await delay(2 ** look);
    }
    return hidden;
  }

  async #repeated(doc: EventDocument): Promise<AppendOutcome> {
    for (let look = 0; look < LOOKS; look += 1) {
      const holders = await this.#db.events.find({ n: { $in: [...(doc.n ?? [])] } }).toArray();
      const old = holders.filter((holder) => this.#isOld(holder));
      for (const [index, body] of doc.e.entries()) {
        const key = nonceKeyOf(body);
        if (key === null) continue;
        const holder = holders.find((candidate) => candidate.n?.includes(key));
        if (holder === undefined || old.includes(holder)) continue;
        if (holder._id.equals(doc._id)) return { kind: 'stored' };
        const first = eventWith(holder, key);
        if (first !== null) return { kind: 'repeated', index, event: first };
      }
      await this.#release(old.map(({ _id }) => _id));
      // What held the nonce is past its day, or not to be read yet, or was rolled back: the index knows.
      const [fate] = await this.#insert([doc]);
      if (fate !== 'nonce taken') return this.#settle(doc, fate ?? new Error('MongoDB told no outcome'));
      await delay(2 ** look);
    }
    return { kind: 'failed', error: new Error('a nonce is taken, and what took it can not be read') };
  }

  async #release(ids: readonly ObjectId[]): Promise<void> {
    if (ids.length > 0) await this.#db.events.updateMany({ _id: { $in: [...ids] } }, { $unset: { n: '' } });
  }

  #isOld(holder: EventDocument): boolean {
    return holder.at.getTime() <= this.#now() - NONCE_MS;
  }
}

function eventWith({ p, f, e }: EventDocument, key: string): SequencedEvent | null {
  const index = e.findIndex((body) => nonceKeyOf(body) === key);
  const body = e[index];
  return body === undefined ? null : readEvent(p, f + index, body);
}
