import type { MessageId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { type Draft, STORED_KINDS } from '../../domain/stored-event.ts';
import { dropFilesOf } from '../messages/drop-file.ts';
import type { Feeds } from '../ordering/feeds.ts';
import type { Listeners } from '../personal/listeners.ts';
import type { UnreadNotices } from '../personal/unread-notices.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileStore } from '../ports/file-store.ts';
import type { OriginalAuthor, OriginalChange, OriginalEvents } from '../ports/original-events.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** The events of one place that were heard and are not in the log yet. */
interface Lane {
  hasMessages: boolean;
  readonly changes: OriginalChange[];
  /** Of files, whose documents have no name. */
  authors: Map<MessageId, OriginalAuthor>;
  /** A run is planned or under way. */
  isBusy: boolean;
  /** Runs in a row that failed. */
  failures: number;
}

export interface AdoptionParts {
  readonly feeds: Feeds;
  readonly listeners: Listeners;
  readonly unreadNotices: UnreadNotices;
  readonly files: FileStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Time in which the records of a burst gather, in milliseconds. */
const GATHER_MS = 2;
/**
 * The same in a place where no client of this server listens. By then a server with listeners has
 * usually taken the event, and the run finds nothing to do.
 */
const GATHER_UNHEARD_MS = 1_000;
const RETRY_MS = 1_000;
/** Runs that fail before the first change is given up. */
const MAX_FAILURES = 60;
/**
 * Edits and deletions that wait for the store. Further ones are dropped, and counted in the log.
 */
const MAX_WAITING_CHANGES = 50_000;

/**
 * Gives the events that original servers publish without a number their place in the order, and
 * hands them out with it.
 *
 * Each server that hears such a record asks the store to take it, and then reads the new events
 * from the store. So all servers hand out the same number, and nothing is published again.
 */
export class Adoption {
  readonly #originals: OriginalEvents;
  readonly #parts: AdoptionParts;
  readonly #lanes = new Map<ConversationKey, Lane>();
  #waitingChanges = 0;
  #isStopping = false;
  #settled: (() => void)[] = [];

  constructor(originals: OriginalEvents, parts: AdoptionParts) {
    this.#originals = originals;
    this.#parts = parts;
  }

  /**
   * Takes the event of a record without a number.
   * @param timestamp when the bus took the record, in milliseconds since 1970
   */
  take(event: Draft, timestamp: number): void {
    const lane = this.#laneOf(event.place);
    if (event.kind !== 'modify' && event.kind !== 'delete') {
      lane.hasMessages = true;
      if (event.kind === 'file') lane.authors.set(event.id, event);
    } else if (this.#waitingChanges < MAX_WAITING_CHANGES) {
      lane.changes.push({ event, timestamp });
      this.#waitingChanges += 1;
    } else {
      const { place, id, kind } = event;
      this.#parts.telemetry.log('error', 'a change by an original server is not in the event log', { place, id, kind });
    }
    if (STORED_KINDS[event.kind].creates) this.#parts.unreadNotices.unnumbered(event.place, event.userId);
    this.#plan(event.place, lane);
  }

  /** Resolves when everything that was heard is in the log, or the store has refused it. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#lanes.size > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  #laneOf(place: ConversationKey): Lane {
    let lane = this.#lanes.get(place);
    if (lane === undefined) {
      lane = { hasMessages: false, changes: [], authors: new Map(), isBusy: false, failures: 0 };
      this.#lanes.set(place, lane);
    }
    return lane;
  }

  #plan(place: ConversationKey, lane: Lane, ms = this.#gatherMs(place)): void {
    if (lane.isBusy) return;
    lane.isBusy = true;
    this.#parts.clock.after(ms, () => void this.#run(place, lane));
  }

  #gatherMs(place: ConversationKey): number {
    const { feeds, listeners } = this.#parts;
    return feeds.listens(place) || listeners.has(place) ? GATHER_MS : GATHER_UNHEARD_MS;
  }

  async #run(place: ConversationKey, lane: Lane): Promise<void> {
    const { hasMessages, authors } = lane;
    lane.hasMessages = false;
    lane.authors = new Map();
    try {
      // A change may be of a message whose own record comes later, in another stream.
      await this.#originals.number(place, authors);
      if (hasMessages) await this.#handOut(place);
      await this.#adoptChanges(lane);
      await this.#handOut(place);
      lane.failures = 0;
    } catch (error) {
      lane.hasMessages ||= hasMessages;
      lane.authors = new Map([...authors, ...lane.authors]);
      lane.isBusy = false;
      lane.failures += 1;
      this.#parts.telemetry.log('warn', 'events of an original server wait for the store', { place, error });
      if (lane.failures % MAX_FAILURES === 0) this.#giveUpChange(lane);
      if (this.#isStopping) this.#remove(place, lane);
      else this.#plan(place, lane, RETRY_MS);
      return;
    }
    lane.isBusy = false;
    if (lane.hasMessages || lane.changes.length > 0) this.#plan(place, lane, GATHER_MS);
    else this.#remove(place, lane);
  }

  async #adoptChanges({ changes }: Lane): Promise<void> {
    const { files, telemetry } = this.#parts;
    for (let change = changes[0]; change !== undefined; change = changes[0]) {
      const deleted = await this.#originals.adopt(change);
      changes.shift();
      this.#waitingChanges -= 1;
      if (deleted !== null) dropFilesOf(files, telemetry, deleted);
    }
  }

  /** A change that fails again and again must not hold up the other events of its place. */
  #giveUpChange({ changes }: Lane): void {
    const change = changes.shift();
    if (change === undefined) return;
    this.#waitingChanges -= 1;
    this.#logLost(change);
  }

  #logLost({ event: { place, id, kind } }: OriginalChange): void {
    this.#parts.telemetry.log('error', 'a change by an original server is not in the event log', { place, id, kind });
  }

  /** Reads the new events from the store, if a client of this server listens to the place. */
  async #handOut(place: ConversationKey): Promise<void> {
    const { feeds } = this.#parts;
    if (!feeds.listens(place)) return;
    await (await feeds.open(place)).catchUp();
  }

  #remove(place: ConversationKey, lane: Lane): void {
    this.#waitingChanges -= lane.changes.splice(0).length;
    this.#lanes.delete(place);
    if (this.#lanes.size > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}
