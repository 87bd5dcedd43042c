import type { AppendBatch, AppendOutcome, HistoryPage, MessageStore } from '../../application/ports/message-store.ts';
import type { HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import { Appender } from './appender.ts';
import { answered, inTime, type MongoDatabase } from './database.ts';
import { type EventDocument, eventDocument } from './documents.ts';
import { EventLog } from './event-log.ts';
import { Numbering } from './numbering.ts';
import { Pages } from './pages.ts';
import { Projector, type SetAside } from './projector.ts';

const NONCE_SWEEP_MS = 60 * 60 * 1000;

export interface MongoStoreOptions {
  /** Milliseconds since 1970; the age of nonces and of unpublished batches is measured by it. */
  readonly now?: () => number;
  /** False: nothing is projected unless somebody reads it. For tests of what a dead server leaves. */
  readonly background?: boolean;
  /** A defect that somebody must look at. */
  readonly onSetAside?: (batch: SetAside) => void;
}

/**
 * Events and messages in MongoDB. `stored` means written and journalled by a majority.
 *
 * A first number beyond what this store has seen of a place is taken from the caller, who must have it from the bus (`batchEnd`): only the bus
 * knows sooner than the store does. A smaller one is a conflict, and of equal ones a unique index lets one through.
 */
export class MongoMessageStore implements MessageStore {
  /** At 500 messages a second a third less CPU in all processes, and with that shorter times to the receipt. */
  readonly pace = 4;
  readonly #log: EventLog;
  readonly #appender: Appender;
  readonly #projector: Projector;
  readonly #numbering: Numbering;
  readonly #pages: Pages;
  readonly #db: MongoDatabase;
  readonly #now: () => number;
  readonly #flights = new Set<Promise<unknown>>();
  #sweeper: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(db: MongoDatabase, options: MongoStoreOptions = {}) {
    this.#db = db;
    this.#now = options.now ?? Date.now;
    this.#log = new EventLog(db);
    this.#appender = new Appender(db, this.#log, this.#now);
    this.#projector = new Projector(db, options.background ?? true, options.onSetAside ?? (() => {}));
    this.#numbering = new Numbering(db, this.#projector);
    this.#pages = new Pages(db);
    if (options.background === false) return;
    const sweep = () => void this.#appender.sweep().catch(() => {});
    this.#sweeper = setInterval(sweep, NONCE_SWEEP_MS).unref();
  }

  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    if (this.#closing !== undefined) return Promise.resolve(allFailed(batches, new Error('the store is closed')));
    const flight = inTime(this.#append(batches)).catch((error: unknown) => allFailed(batches, error));
    this.#flights.add(flight);
    void flight.then(() => this.#flights.delete(flight));
    return flight;
  }

  async newest(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>> {
    const newest = new Map<ConversationKey, number>(places.map((place) => [place, 0]));
    if (places.length > 0) await answered(this.#readNewest(newest));
    return newest;
  }

  async eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    const events = await answered(this.#log.eventsAfter(place, after, limit));
    if (events.length > 0 || after > 0) return events;
    if ((await this.newest([place])).get(place) === 0) return events;
    return answered(this.#log.eventsAfter(place, after, limit));
  }

  async messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>> {
    if (ids.length === 0) return new Map();
    await this.settle(await this.newest([place]));
    return answered(this.#pages.messages(place, ids));
  }

  async history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage> {
    const ends = await this.newest([place]);
    await this.settle(ends);
    return answered(this.#pages.history(place, range, ends.get(place) ?? 0));
  }

  byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null> {
    return answered(this.#appender.byNonce(userId, nonce));
  }

  /** Sees to it that these places, up to these numbers of theirs, are in the message collections. */
  async settle(ends: ReadonlyMap<ConversationKey, number>): Promise<void> {
    if (!(await answered(this.#log.behind(ends)))) return;
    await answered(this.#projector.help([...ends.keys()]));
    this.#log.settled(ends);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all(this.#flights);
    // What is left unprojected is found by other servers, or by this one when it is back.
    await inTime(this.#projector.close()).catch(() => {});
  }

  async #append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    const unseen = new Set(batches.flatMap(({ place }) => (this.#log.knownEnd(place) === undefined ? [place] : [])));
    if (unseen.size > 0) await this.newest([...unseen]);
    const outcomes: AppendOutcome[] = batches.map(() => ({ kind: 'conflict' }));
    const docs: EventDocument[] = [];
    const indexes: number[] = [];
    for (const [i, { place, first, drafts }] of batches.entries()) {
      const next = (this.#log.knownEnd(place) ?? 0) + 1;
      if (drafts.length === 0 || first < next || (first > next && unseen.has(place))) continue;
      docs.push(eventDocument(place, first, drafts, this.#now()));
      indexes.push(i);
    }
    if (docs.length === 0) return outcomes;
    const stored: EventDocument[] = [];
    for (const [k, outcome] of (await this.#appender.add(docs)).entries()) {
      const doc = docs[k];
      outcomes[indexes[k] ?? 0] = outcome;
      if (doc === undefined || outcome.kind !== 'stored') continue;
      this.#db.marks.stored(doc);
      stored.push(doc);
    }
    this.#projector.stored(stored);
    return outcomes;
  }

  async #readNewest(newest: Map<ConversationKey, number>): Promise<void> {
    const last = await this.#log.lastBatches([...newest.keys()]);
    for (const [place, { l }] of last) newest.set(place, l);
    const unfinished = [...last].flatMap(([place, { more }]) => (more === true ? [place] : []));
    const empty = [...newest.keys()].filter((place) => !last.has(place));
    if (empty.length > 0) unfinished.push(...(await this.#numbering.unnumbered(empty)));
    if (unfinished.length > 0) {
      await this.#numbering.finish(unfinished);
      for (const [place, { l }] of await this.#log.lastBatches(unfinished)) newest.set(place, l);
    }
    for (const [place, end] of newest) this.#log.learn(place, end);
  }
}

function allFailed(batches: readonly AppendBatch[], error: unknown): AppendOutcome[] {
  const cause = error instanceof Error ? error : new Error(String(error));
  return batches.map(() => ({ kind: 'failed', error: cause }));
}
