import { setTimeout as delay } from 'node:timers/promises';
import { MongoError } from 'mongodb';
import type { ConversationKey } from '../../domain/place.ts';
import { isStoredKind, STORED_KIND_NAMES, STORED_KINDS } from '../../domain/stored-event.ts';
import { asStoreRefusal, type MongoDatabase } from './database.ts';
import type { EventDocument } from './documents.ts';
import { LATE } from './indexes.ts';
import { Overtaken, project, projectLate } from './projection.ts';

/** By then most batches are on the bus, so that one update takes both of their marks away; readers don't wait for it. */
const GATHER_MS = 250;
const GATHER_BATCHES = 500;
/** A transaction's batches and work, a message counted once and a change, which takes several commands, ten times: it must end well within its time limit. */
const TRANSACTION_BATCHES = 250;
const TRANSACTION_WORK = 3_000;
const SWEEP_MS = 2_000;
const LEFT_BEHIND_MS = 3_000;
/** More than that waiting in memory is left to the sweep. */
const MAX_GATHERED = 20_000;
const RETRIES = 10;

/** A batch that could not be brought into the message collections; its events are in the log all the same. */
export interface SetAside {
  readonly place: ConversationKey;
  readonly first: number;
  readonly reason: string;
}

interface Wanted {
  readonly places: Set<ConversationKey>;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Brings what was stored into the message collections, in the background and many batches at a time; at once where a reader asks for a
 * place. One transaction at a time. What a dead server left is found by looking every few seconds.
 */
export class Projector {
  readonly #db: MongoDatabase;
  readonly #background: boolean;
  readonly #onSetAside: (batch: SetAside) => void;
  #gathered: EventDocument[] = [];
  #wanted: Wanted | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(db: MongoDatabase, background: boolean, onSetAside: (batch: SetAside) => void) {
    this.#db = db;
    this.#onSetAside = onSetAside;
    this.#background = background;
    if (background) this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
  }

  /** Our own batches, just stored. */
  stored(docs: readonly EventDocument[]): void {
    if (!this.#background || this.#gathered.length > MAX_GATHERED) return;
    this.#gathered.push(...docs);
    if (this.#gathered.length >= GATHER_BATCHES) this.#run();
    else this.#timer ??= setTimeout(() => this.#run(), GATHER_MS).unref();
  }

  /** Resolves when all that is stored in these places now is in the message collections. */
  help(places: readonly ConversationKey[]): Promise<void> {
    this.#wanted ??= { places: new Set(), done: Promise.withResolvers() };
    for (const place of places) this.#wanted.places.add(place);
    const { promise } = this.#wanted.done;
    this.#run();
    return promise;
  }

  /** Applies what is gathered; what can't be now is left to others. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    this.#run();
    while (this.#running !== undefined) await this.#running;
  }

  #run(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      if (this.#wanted !== undefined || (this.#closed && this.#gathered.length > 0)) this.#run();
      else if (this.#gathered.length > 0) this.#timer ??= setTimeout(() => this.#run(), GATHER_MS).unref();
    });
  }

  async #work(): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    const places = new Set(wanted?.places);
    const own = this.#gathered.splice(0, GATHER_BATCHES);
    // A change must not overtake what another server stored before it, so such places are read whole.
    for (const doc of own) if (workOf(doc) > doc.e.length) places.add(doc.p);
    try {
      if (places.size > 0) await this.#catchUp([...places]);
      wanted?.done.resolve();
    } catch (error) {
      wanted?.done.reject(error);
    }
    try {
      await this.#apply(own.filter((doc) => !places.has(doc.p)));
    } catch {
      // The sweep finds them again, here or elsewhere.
    }
  }

  async #catchUp(places: readonly ConversationKey[]): Promise<void> {
    for (;;) {
      const docs = await this.#db.events
        .find({ p: { $in: [...places] }, proj: true }, { hint: 'unprojected' })
        .sort({ p: 1, f: 1 })
        .limit(TRANSACTION_BATCHES)
        .toArray();
      if (docs.length === 0) return;
      await this.#apply(docs);
      if (docs.length < TRANSACTION_BATCHES) return;
    }
  }

  async #apply(docs: readonly EventDocument[]): Promise<void> {
    let some: EventDocument[] = [];
    let work = 0;
    for (const doc of docs) {
      const more = workOf(doc);
      if (some.length > 0 && (some.length === TRANSACTION_BATCHES || work + more > TRANSACTION_WORK)) {
        await this.#applySome(some);
        some = [];
        work = 0;
      }
      some.push(doc);
      work += more;
    }
    if (some.length > 0) await this.#applySome(some);
  }

  async #applySome(docs: readonly EventDocument[]): Promise<void> {
    let rest = docs;
    for (let attempt = 1; rest.length > 0; attempt += 1) {
      try {
        await project(this.#db, rest);
        return;
      } catch (error) {
        if (!(error instanceof Overtaken)) return this.#applyApart(rest, error);
        if (attempt === RETRIES) throw error;
      }
      if (attempt > 1) await delay(attempt * 2);
      const ids = rest.map(({ _id }) => _id);
      const left = await this.#db.events.find({ _id: { $in: ids }, proj: true }, { projection: { _id: 1 } }).toArray();
      const open = new Set(left.map(({ _id }) => _id.toHexString()));
      rest = rest.filter(({ _id }) => open.has(_id.toHexString()));
    }
  }

  /** One batch that can't be applied must not keep the others, or readers of its place, waiting for ever: it is set aside. */
  async #applyApart(docs: readonly EventDocument[], error: unknown): Promise<void> {
    if (error instanceof MongoError && asStoreRefusal(error).code === 'try-again') throw error;
    if (docs.length > 1) {
      for (const doc of docs) await this.#applySome([doc]);
      return;
    }
    const [doc] = docs;
    if (doc !== undefined) await this.#setAside(doc, error);
  }

  async #setAside(doc: EventDocument, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    await this.#db.events.updateOne({ _id: doc._id }, { $unset: { proj: '', late: '' }, $set: { failed: reason } });
    this.#onSetAside({ place: doc.p, first: doc.f, reason });
  }

  async #sweep(): Promise<void> {
    try {
      const before = new Date(Date.now() - LEFT_BEHIND_MS);
      const old = await this.#db.events
        .find({ proj: true, at: { $lt: before } }, { hint: 'unprojected', projection: { p: 1, _id: 0 } })
        .limit(TRANSACTION_BATCHES)
        .toArray();
      if (old.length > 0 && !this.#closed) await this.help(old.map(({ p }) => p));
      await this.#applyLate();
    } catch {
      // Tried again in a moment.
    }
  }

  /** Projects events that servers of an older version had to leave. */
  async #applyLate(): Promise<void> {
    const docs = await this.#db.events
      .find({ proj: 'late', late: { $in: [...STORED_KIND_NAMES] } }, { hint: LATE })
      .limit(TRANSACTION_BATCHES)
      .toArray();
    for (const doc of docs) {
      if (this.#closed) return;
      try {
        await projectLate(this.#db, doc);
      } catch (error) {
        if (error instanceof Overtaken) continue;
        if (error instanceof MongoError && asStoreRefusal(error).code === 'try-again') throw error;
        await this.#setAside(doc, error);
      }
    }
  }
}

/** More than the number of events if some of them change messages that exist. */
function workOf({ e }: EventDocument): number {
  let work = 0;
  for (const { kind } of e) work += isStoredKind(kind) && !STORED_KINDS[kind].creates ? 10 : 1;
  return work;
}
