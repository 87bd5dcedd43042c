import type { AppendBatch, AppendOutcome, HistoryPage, MessageStore } from '../../application/ports/message-store.ts';
import type { HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { Appender } from './appender.ts';
import { answered, inTime, type MongoDatabase } from './database.ts';
import { type EventDocument, eventDocument } from './documents.ts';
import { EventLog } from './event-log.ts';
import { LogEnds, type RemovedEnd } from './log-ends.ts';
import { Numbering, type StepPace } from './numbering.ts';
import { Pages } from './pages.ts';
import { type FailedBatch, Projector } from './projector.ts';

/** Time that a batch waits for its projection where original servers read the collections. */
const PROJECTED_MS = 1_000;
const NONCE_SWEEP_MS = 60 * 60 * 1000;

export interface MongoMessageStoreParts {
  readonly db: MongoDatabase;
  /**
   * Milliseconds since 1970, for the age of nonces and of unpublished batches. Default: the clock
   * of MongoDB.
   */
  readonly now?: (() => number) | undefined;
  /**
   * False: batches are projected only when somebody reads them, as after a server died. Default:
   * true.
   */
  readonly isBackground?: boolean | undefined;
  /**
   * Called for a batch that was set aside because it cannot be projected. An operator should know
   * of it.
   */
  readonly onFailedBatch?: ((batch: FailedBatch) => void) | undefined;
  /**
   * Called when events were found removed from the end of a log. Their numbers are kept by now. An
   * operator should know of it.
   */
  readonly onRemovedEnd?: ((removed: RemovedEnd) => void) | undefined;
  /**
   * Takes what original servers wrote into these places, when a place is read for the first time.
   * Returns true if there may be new events. Absent where no original server runs.
   */
  readonly look?: ((places: readonly ConversationKey[]) => Promise<boolean>) | undefined;
  /** Runs each step of a numbering when there is room for it. Absent: at once. */
  readonly pace?: StepPace | undefined;
}

/**
 * Events and messages in MongoDB. `stored` means written and journalled by a majority.
 *
 * If `first` is greater than the next number that this store knows of a place, the store trusts the
 * caller. The caller has it from the bus (`batchEnd`), which may report an append before this store
 * reads it. A smaller `first` is a conflict. If two servers use the same `first`, a unique index
 * decides.
 */
export class MongoMessageStore implements MessageStore {
  /**
   * At 500 messages per second, 4 ms save a third of the CPU in all processes and shorten the time
   * to the receipt.
   */
  readonly pace = 4;
  readonly #log: EventLog;
  readonly #appender: Appender;
  readonly #projector: Projector;
  readonly #numbering: Numbering;
  readonly #ends: LogEnds;
  readonly #pages: Pages;
  readonly #db: MongoDatabase;
  readonly #now: () => number;
  readonly #look: MongoMessageStoreParts['look'];
  readonly #appends = new Set<Promise<unknown>>();
  readonly #nonceSweeper: NodeJS.Timeout | null;
  #closing: Promise<void> | null = null;

  constructor(parts: MongoMessageStoreParts) {
    const {
      db,
      now = () => db.clock.now(),
      isBackground = true,
      onFailedBatch = () => {},
      onRemovedEnd = () => {},
      look,
      pace,
    } = parts;
    this.#db = db;
    this.#now = now;
    this.#look = look;
    this.#log = new EventLog(db);
    this.#appender = new Appender({ db, log: this.#log, now });
    this.#projector = new Projector({ db, isBackground, onFailedBatch });
    this.#numbering = new Numbering({ db, projector: this.#projector, pace });
    this.#ends = new LogEnds({ db, onRemovedEnd });
    this.#pages = new Pages(db);
    const sweep = () => void this.#appender.removeOldNonces().catch(() => {});
    this.#nonceSweeper = isBackground ? setInterval(sweep, NONCE_SWEEP_MS).unref() : null;
  }

  append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    if (this.#closing !== null) return Promise.resolve(allFailed(batches, new Error('the store is closed')));
    const append = inTime(this.#append(batches)).catch((error: unknown) => allFailed(batches, error));
    this.#appends.add(append);
    void append.then(() => this.#appends.delete(append));
    return append;
  }

  async newest(places: readonly ConversationKey[]): Promise<Map<ConversationKey, number>> {
    const newest = new Map<ConversationKey, number>(places.map((place) => [place, 0]));
    if (places.length > 0) await answered(this.#readNewest(newest));
    return newest;
  }

  eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    return inTime(this.#eventsAfter(place, after, limit));
  }

  messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>> {
    return ids.length === 0 ? Promise.resolve(new Map()) : inTime(this.#messages(place, ids));
  }

  history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage> {
    return inTime(this.#history(place, range));
  }

  async #eventsAfter(place: ConversationKey, after: number, limit: number): Promise<SequencedEvent[]> {
    const events = await answered(this.#log.eventsAfter(place, after, limit));
    if (events.length > 0 || after > 0) return events;
    if ((await this.newest([place])).get(place) === 0) return events;
    return answered(this.#log.eventsAfter(place, after, limit));
  }

  async #messages(place: ConversationKey, ids: readonly MessageId[]): Promise<Map<MessageId, Message>> {
    await this.settle(await this.newest([place]));
    return answered(this.#pages.messages(place, ids));
  }

  async #history(place: ConversationKey, range: HistoryRange): Promise<HistoryPage> {
    const ends = await this.newest([place]);
    await this.settle(ends);
    return answered(this.#pages.history(place, range, ends.get(place) ?? 0));
  }

  byNonce(userId: UserId, nonce: string): Promise<SequencedEvent | null> {
    return answered(this.#appender.byNonce(userId, nonce));
  }

  /** Resolves when the batches of these places are projected up to these numbers. */
  async settle(ends: ReadonlyMap<ConversationKey, number>): Promise<void> {
    if (!(await answered(this.#log.isBehind(ends)))) return;
    await answered(this.#projector.help([...ends.keys()]));
    this.#log.settled(ends);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#nonceSweeper !== null) clearInterval(this.#nonceSweeper);
    await Promise.all(this.#appends);
    // Batches that are left are projected by other servers, or by this one after a restart.
    await inTime(this.#projector.close()).catch(() => {});
  }

  async #append(batches: readonly AppendBatch[]): Promise<AppendOutcome[]> {
    const unseen = new Set(batches.flatMap(({ place }) => (this.#log.knownEnd(place) === null ? [place] : [])));
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
    if (this.#look === undefined || stored.length === 0) this.#projector.stored(stored);
    else {
      // Clients of an original server edit what they see, so it must be in the collections before
      // it is published. A sweep projects it later if this fails.
      const projected = this.#projector.help(stored.map(({ p }) => p));
      await withTimeout(PROJECTED_MS, projected, () => new Error('timeout')).catch(() => {});
    }
    return outcomes;
  }

  async #readNewest(newest: Map<ConversationKey, number>): Promise<void> {
    const last = await this.#lastBatches([...newest.keys()]);
    for (const [place, { l }] of last) newest.set(place, l);
    const unfinished = [...last].flatMap(([place, { more }]) => (more === true ? [place] : []));
    const empty = [...newest.keys()].filter((place) => !last.has(place));
    if (empty.length > 0) unfinished.push(...(await this.#numbering.unnumbered(empty)));
    if (unfinished.length > 0) {
      await this.#numbering.finish(unfinished);
      for (const [place, { l }] of await this.#log.lastBatches(unfinished)) newest.set(place, l);
    }
    if (this.#look !== undefined && (await this.#look([...newest.keys()]))) {
      for (const [place, { l }] of await this.#log.lastBatches([...newest.keys()])) newest.set(place, l);
    }
    for (const [place, end] of newest) this.#log.learn(place, end);
  }

  /**
   * The last batch of each place that has one. Where a log ends before a number that was given, the
   * removed numbers are kept first. The messages and holes show the given numbers of a place that
   * this server has not seen yet.
   */
  async #lastBatches(places: readonly ConversationKey[]): ReturnType<EventLog['lastBatches']> {
    const ends = new Map(places.map((place) => [place, this.#log.knownEnd(place)]));
    const unseen = places.filter((place) => ends.get(place) === null);
    const [last, shown] = await Promise.all([
      this.#log.lastBatches(places),
      unseen.length === 0 ? new Map<ConversationKey, number>() : this.#ends.shown(unseen),
    ]);
    const short: ConversationKey[] = [];
    for (const place of places) {
      const from = (last.get(place)?.l ?? 0) + 1;
      const to = ends.get(place) ?? shown.get(place) ?? 0;
      if (to < from) continue;
      short.push(place);
      await this.#ends.hold({ place, from, to });
    }
    if (short.length === 0) return last;
    return new Map([...last, ...(await this.#log.lastBatches(short))]);
  }
}

function allFailed(batches: readonly AppendBatch[], error: unknown): AppendOutcome[] {
  const cause = error instanceof Error ? error : new Error(String(error));
  return batches.map(() => ({ kind: 'failed', error: cause }));
}
