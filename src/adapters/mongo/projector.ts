import { setTimeout as delay } from 'node:timers/promises';
import { MongoError } from 'mongodb';
import type { ConversationKey } from '../../domain/place.ts';
import { isStoredKind, STORED_KIND_NAMES, STORED_KINDS } from '../../domain/stored-event.ts';
import { asStoreRefusal, type MongoDatabase } from './database.ts';
import type { EventDocument } from './documents.ts';
import { REFUSED_WRITES_CODES } from './error-codes.ts';
import { LATE, UNPROJECTED } from './indexes.ts';
import { EarlierUnprojected, Overtaken, project, projectLate } from './projection.ts';

/**
 * Own batches are projected after this time, in milliseconds, or as soon as this many are waiting.
 * By then most of them are on the bus, so that one update removes both of their marks. Readers do
 * not wait for it.
 */
const GATHER_MS = 250;
const GATHER_BATCHES = 500;
/**
 * Edits and deletions are projected as soon as this many are waiting. Otherwise a reader behind a
 * burst of them would wait for all of them.
 */
const GATHER_CHANGES = 500;
/** Limits of a transaction, so that a reader who comes meanwhile does not wait long. */
const MAX_TRANSACTION_BATCHES = 250;
/**
 * In changes of existing messages. Deleted texts are taken out of the log once in a transaction, so
 * a few large transactions rewrite the batches of the log less often than many small ones.
 */
const MAX_TRANSACTION_WORK = 6_000;
/** The work for a new message, with its text and the keys of its indexes. */
const CREATING_WORK = 4;
const SWEEP_MS = 2_000;
/** Age at which a batch counts as left behind by its server. */
const LEFT_BEHIND_MS = 3_000;
/** Own batches beyond this number are left to the sweep. */
const MAX_GATHERED = 20_000;
const MAX_ATTEMPTS = 10;

/** A batch that could not be projected. Its events stay in the log. */
export interface FailedBatch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly error: unknown;
}

/** Places that readers wait for. */
interface ProjectionRequest {
  readonly places: Set<ConversationKey>;
  readonly done: PromiseWithResolvers<void>;
}

export interface ProjectorParts {
  readonly db: MongoDatabase;
  /** False: only `help` projects. */
  readonly isBackground: boolean;
  readonly onFailedBatch: (batch: FailedBatch) => void;
}

/**
 * Projects stored batches into the message collections: in the background, many batches at a time,
 * and at once if a reader needs a place. Only one transaction of new batches runs at a time. A
 * sweep finds the batches of servers that died, and events that older versions had to leave.
 */
export class Projector {
  readonly #parts: ProjectorParts;
  #gathered: EventDocument[] = [];
  /** Edits and deletions among the gathered events. */
  #gatheredChanges = 0;
  #request: ProjectionRequest | null = null;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  readonly #sweeper: NodeJS.Timeout | null;
  #isClosed = false;

  constructor(parts: ProjectorParts) {
    this.#parts = parts;
    this.#sweeper = parts.isBackground ? setInterval(() => void this.#sweep(), SWEEP_MS).unref() : null;
  }

  /** Takes batches that this server has just stored. */
  stored(docs: readonly EventDocument[]): void {
    if (!this.#parts.isBackground || this.#gathered.length > MAX_GATHERED) return;
    this.#gathered.push(...docs);
    for (const doc of docs) this.#gatheredChanges += changesIn(doc);
    if (this.#isFull()) this.#run();
    else this.#runLater();
  }

  /** Resolves when everything that is stored in these places by now is projected. */
  help(places: readonly ConversationKey[]): Promise<void> {
    this.#request ??= { places: new Set(), done: Promise.withResolvers() };
    for (const place of places) this.#request.places.add(place);
    const { promise } = this.#request.done;
    this.#run();
    return promise;
  }

  /**
   * Projects the gathered batches. Batches that cannot be projected now are left to other servers.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#run();
    while (this.#running !== null) await this.#running;
  }

  #run(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
      if (this.#request !== null || (this.#isClosed && this.#gathered.length > 0)) this.#run();
      else if (this.#isFull()) this.#run();
      else if (this.#gathered.length > 0) this.#runLater();
    });
  }

  #isFull(): boolean {
    return this.#gathered.length >= GATHER_BATCHES || this.#gatheredChanges >= GATHER_CHANGES;
  }

  #runLater(): void {
    this.#timer ??= setTimeout(() => this.#run(), GATHER_MS).unref();
  }

  async #work(): Promise<void> {
    await this.#serveReaders();
    const own = this.#gathered.splice(0, GATHER_BATCHES);
    const places = new Set<ConversationKey>();
    // A change must not be applied before earlier batches of other servers. So its whole place is
    // read.
    for (const doc of own) {
      const changes = changesIn(doc);
      this.#gatheredChanges -= changes;
      if (changes > 0) places.add(doc.p);
    }
    const between = () => this.#serveReaders();
    try {
      if (places.size > 0) await this.#catchUp([...places], between);
      const rest = own.filter((doc) => !places.has(doc.p));
      await this.#apply(rest, between);
    } catch {
      // A sweep of this server or another one finds these batches.
    }
  }

  /** Projects the places that readers wait for by now. */
  async #serveReaders(): Promise<void> {
    const request = this.#request;
    if (request === null) return;
    this.#request = null;
    try {
      await this.#catchUp([...request.places]);
      request.done.resolve();
    } catch (error) {
      request.done.reject(error);
    }
  }

  async #catchUp(places: readonly ConversationKey[], between?: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; ) {
      const docs = await this.#parts.db.events
        .find({ p: { $in: [...places] }, proj: true }, { hint: UNPROJECTED })
        .sort({ p: 1, f: 1 })
        .limit(MAX_TRANSACTION_BATCHES)
        .toArray();
      if (docs.length === 0) return;
      try {
        await this.#apply(docs, between);
      } catch (error) {
        // The batches are read again, with the earlier one.
        if (!(error instanceof EarlierUnprojected) || attempt === MAX_ATTEMPTS) throw error;
        await delay(attempt * 2);
        attempt += 1;
        continue;
      }
      if (docs.length < MAX_TRANSACTION_BATCHES) return;
    }
  }

  /**
   * Projects the batches in as many transactions as they need.
   * @param between runs before each transaction
   */
  async #apply(docs: readonly EventDocument[], between?: () => Promise<void>): Promise<void> {
    for (const some of portionsOf(docs)) {
      await between?.();
      await this.#applySome(some);
    }
  }

  async #applySome(docs: readonly EventDocument[]): Promise<void> {
    const { db } = this.#parts;
    let rest = docs;
    for (let attempt = 1; rest.length > 0; attempt += 1) {
      try {
        await project(db, rest);
        return;
      } catch (error) {
        if (error instanceof EarlierUnprojected) throw error;
        if (!(error instanceof Overtaken)) return this.#applyOneByOne(rest, error);
        if (attempt === MAX_ATTEMPTS) throw error;
      }
      if (attempt > 1) await delay(attempt * 2);
      const ids = rest.map(({ _id }) => _id);
      const left = await db.events.find({ _id: { $in: ids }, proj: true }, { projection: { _id: 1 } }).toArray();
      const open = new Set(left.map(({ _id }) => _id.toHexString()));
      const still = rest.filter(({ _id }) => open.has(_id.toHexString()));
      // Another server projects the same batches. While they become fewer, this one does not give
      // up.
      if (still.length < rest.length) attempt = 0;
      rest = still;
    }
  }

  /**
   * Finds the batch that cannot be projected and sets it aside. Otherwise it would hold up the
   * other batches, and the readers of its place, forever.
   */
  async #applyOneByOne(docs: readonly EventDocument[], error: unknown): Promise<void> {
    if (isTemporary(error)) throw error;
    if (docs.length > 1) {
      for (const doc of docs) await this.#applySome([doc]);
      return;
    }
    const [doc] = docs;
    if (doc !== undefined) await this.#setAside(doc, error);
  }

  async #setAside(doc: EventDocument, error: unknown): Promise<void> {
    const failed = error instanceof Error ? error.message : String(error);
    await this.#parts.db.events.updateOne({ _id: doc._id }, { $unset: { proj: '', late: '' }, $set: { failed } });
    this.#parts.onFailedBatch({ place: doc.p, first: doc.f, error });
  }

  async #sweep(): Promise<void> {
    try {
      const before = new Date(this.#parts.db.clock.now() - LEFT_BEHIND_MS);
      const old = await this.#parts.db.events
        .find({ proj: true, at: { $lt: before } }, { hint: UNPROJECTED, projection: { p: 1, _id: 0 } })
        .limit(MAX_TRANSACTION_BATCHES)
        .toArray();
      if (old.length > 0 && !this.#isClosed) await this.help(old.map(({ p }) => p));
      await this.#applyLate();
    } catch {
      // The next sweep tries again.
    }
  }

  /**
   * Projects events that servers of an older version had to leave, because they did not know the
   * kind.
   */
  async #applyLate(): Promise<void> {
    const { db } = this.#parts;
    const docs = await db.events
      .find({ proj: 'late', late: { $in: [...STORED_KIND_NAMES] } }, { hint: LATE })
      .limit(MAX_TRANSACTION_BATCHES)
      .toArray();
    for (const doc of docs) {
      if (this.#isClosed) return;
      try {
        await projectLate(db, doc);
      } catch (error) {
        if (error instanceof Overtaken) continue;
        if (isTemporary(error)) throw error;
        await this.#setAside(doc, error);
      }
    }
  }
}

/** True if the fault is not in the batch. It can be projected later. */
function isTemporary(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  return REFUSED_WRITES_CODES.has(Number(error.code)) || asStoreRefusal(error).code === 'try-again';
}

/** Splits the batches into those of one transaction each. */
function portionsOf(docs: readonly EventDocument[]): EventDocument[][] {
  const portions: EventDocument[][] = [];
  let last: EventDocument[] = [];
  let sum = 0;
  for (const doc of docs) {
    const work = workOf(doc);
    const isFull = last.length === MAX_TRANSACTION_BATCHES || sum + work > MAX_TRANSACTION_WORK;
    if (last.length === 0 || isFull) {
      last = [];
      portions.push(last);
      sum = 0;
    }
    last.push(doc);
    sum += work;
  }
  return portions;
}

function workOf(doc: EventDocument): number {
  const changes = changesIn(doc);
  return changes + (doc.e.length - changes) * CREATING_WORK;
}

/** How many of the events are about existing messages. */
function changesIn({ e }: EventDocument): number {
  let changes = 0;
  for (const { kind } of e) if (isStoredKind(kind) && !STORED_KINDS[kind].creates) changes += 1;
  return changes;
}
