import { Refusal } from '../../domain/errors.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { missingUpTo, type SequencedEvent, type StoredEvent } from '../../domain/stored-event.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Origin } from '../ports/local-subscribers.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { LogHoles } from './log-holes.ts';
import type { NewestReader } from './newest-reader.ts';
import { RecentEvents } from './recent-events.ts';

/**
 * An event that arrived early. It is decoded only when its turn comes; null if it cannot be
 * decoded.
 */
export type HeldEvent = () => SequencedEvent | null;

interface EarlyEvent {
  readonly read: HeldEvent;
  readonly origin: Origin | null;
}

/** The parts that all feeds share. There are many feeds, so they have few parts of their own. */
export interface FeedParts {
  readonly store: MessageStore;
  readonly newest: NewestReader;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly holes: LogHoles;
  /** Hands an event to the live subscriptions of the place. */
  readonly deliver: (place: ConversationKey, event: StoredEvent, origin: Origin | null) => void;
  /**
   * Called when the memory of a place's remembered events changes, with the change in bytes (an
   * estimate).
   */
  readonly remembered: (place: ConversationKey, change: number) => void;
  /** Events that a resume may replay, at most. */
  readonly window: number;
}

/**
 * Time that an early event waits for earlier ones from another stream. Then the missing ones are
 * read from the store.
 */
const HOLD_MS = 150;
const RETRY_MS = 500;
const MAX_HELD = 2_000;
const READ_EVENTS = 500;
const MAX_CATCH_UP_READS = 5;
const MAX_REPLAY_READS = 20;

/**
 * The events of one place on this server, handed out in order, each once.
 *
 * An event that arrives early is held for a short time. Then the missing events are read from the
 * store. The newest events are remembered, so that many clients who come back at the same time are
 * served without a read for each.
 */
export class Feed {
  readonly place: ConversationKey;
  readonly #parts: FeedParts;
  readonly #recent: RecentEvents;
  /** Number of the last event that was handed out. */
  #position: number;
  /** Null until the first event arrives early, which most feeds never see. */
  #held: Map<number, EarlyEvent> | null = null;
  #timer: Timer | null = null;
  #reading: Promise<void> | null = null;
  #replayRead: Promise<void> | null = null;
  #closed = false;
  /** When the feed was last used, on the monotonic clock in milliseconds. Idle feeds are closed. */
  usedAt: number;

  constructor(place: ConversationKey, position: number, parts: FeedParts) {
    this.place = place;
    this.#position = position;
    this.#parts = parts;
    this.#recent = new RecentEvents(place, position, parts);
    this.usedAt = parts.clock.monotonic();
  }

  get position(): number {
    return this.#position;
  }

  /**
   * Takes an event that was stored here or heard from another server, in any order and any number
   * of times.
   * @param origin null where it is not known
   */
  receive(seq: number, event: HeldEvent, origin: Origin | null = null): void {
    if (seq <= this.#position || this.#closed) return;
    if (seq === this.#position + 1) {
      const next = event();
      if (next !== null) {
        this.#handOut(next, origin);
        if (this.#held !== null) this.#handOutHeld();
        return;
      }
      // It could not be decoded. The store has it.
    } else {
      this.#held ??= new Map();
      if (this.#held.size < MAX_HELD) this.#held.set(seq, { read: event, origin });
    }
    this.#waitForGap();
  }

  /**
   * Reads up to the store's newest event. This server may not have heard of it yet. @throws Refusal
   * `try-again`
   */
  async catchUp(): Promise<void> {
    const newest = await this.#parts.newest.ask(this.place);
    // A read that was already under way may have begun before the newest event was stored.
    for (let reads = 0; this.#position < newest; reads++) {
      if (reads === MAX_CATCH_UP_READS || this.#closed) throw notReadable();
      await this.fill();
    }
  }

  /** Reads the missing events from the store and hands them out. @throws Refusal `try-again` */
  fill(): Promise<void> {
    this.#reading ??= this.#readMissing().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /**
   * The events after `after`, up to the newest one that was handed out; at most as many as the
   * window holds. The contents of deleted messages are left out. `after` must not be greater than
   * `position`. Null when the log no longer has all of them.
   * @throws Refusal `try-again`
   */
  async since(after: number): Promise<readonly SequencedEvent[] | null> {
    this.usedAt = this.#parts.clock.monotonic();
    this.#recent.keepMany();
    // A read for another client may not have gone back far enough, or the events may have been
    // dropped meanwhile.
    for (let reads = 0; reads < MAX_REPLAY_READS && !this.#recent.covers(after); reads++) {
      this.#replayRead ??= this.#readRecent(after).finally(() => {
        this.#replayRead = null;
      });
      await this.#replayRead;
      if (this.#recent.isMissing(after)) return null;
    }
    if (!this.#recent.covers(after)) throw notReadable();
    return this.#recent.after(after);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#held = null;
    this.forgetRecent();
  }

  /** Drops the remembered events. They are read again when they are needed. */
  forgetRecent(): void {
    this.#recent.clear();
  }

  #handOut(event: SequencedEvent, origin: Origin | null): void {
    this.#position = event.seq;
    this.#recent.add(event);
    if (event.kind !== 'unknown') this.#parts.deliver(this.place, event, origin);
  }

  #handOutHeld(): void {
    const early = this.#held;
    let isUnreadable = false;
    while (early !== null && !isUnreadable) {
      const seq = this.#position + 1;
      const held = early.get(seq);
      if (held === undefined) break;
      early.delete(seq);
      const event = held.read();
      // It could not be decoded. The store has it.
      if (event === null) isUnreadable = true;
      else this.#handOut(event, held.origin);
    }
    for (const seq of early?.keys() ?? []) if (seq <= this.#position) early?.delete(seq);
    if (early?.size === 0) this.#held = null;
    if (isUnreadable || this.#held !== null) {
      this.#waitForGap();
      return;
    }
    this.#timer?.cancel();
    this.#timer = null;
  }

  #waitForGap(ms = HOLD_MS): void {
    if (this.#timer !== null || this.#closed) return;
    this.#parts.telemetry.count('gaps_held');
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = null;
      if (this.#closed) return;
      this.#parts.telemetry.count('gaps_read');
      this.fill().catch(() => this.#waitForGap(RETRY_MS));
    });
  }

  async #readMissing(): Promise<void> {
    for (;;) {
      const events = await this.#parts.store.eventsAfter(this.place, this.#position, READ_EVENTS);
      if (this.#closed) return;
      for (const event of events) {
        // The feed continues behind the hole. Otherwise it would wait forever.
        const missing = missingUpTo(event);
        if (missing > this.#position) this.#foundHole(this.#position + 1, missing);
        if (event.seq <= this.#position) continue;
        this.#handOut(event, null);
        this.#parts.telemetry.count('events_recovered');
      }
      if (events.length < READ_EVENTS) break;
    }
    this.#handOutHeld();
  }

  #foundHole(from: number, to: number): void {
    this.#parts.holes.found(this.place, from, to);
  }

  /** Extends the remembered events back to `after`. */
  async #readRecent(after: number): Promise<void> {
    const { start } = this.#recent;
    const from = this.#recent.readFrom(after);
    const events: SequencedEvent[] = [];
    let last = from;
    while (last < start) {
      const more = await this.#parts.store.eventsAfter(this.place, last, Math.min(READ_EVENTS, start - last));
      const [next] = more;
      const missing = next === undefined ? start : Math.min(start, missingUpTo(next));
      if (missing > last) {
        this.#foundHole(last + 1, missing);
        this.#recent.missing(missing);
        return;
      }
      for (const event of more) {
        if (missingUpTo(event) > last || event.seq > start) break;
        events.push(event);
        last = event.seq;
      }
    }
    if (!this.#closed) this.#recent.prepend(events);
  }
}

function notReadable(): Refusal {
  return new Refusal('try-again', 'the events of this place cannot be read now; subscribe again later');
}
