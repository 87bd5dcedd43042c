import type { MessageId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import {
  deletedBy,
  isRemoved,
  missingUpTo,
  type SequencedEvent,
  withoutDeleted,
  withoutTextOf,
} from '../../domain/stored-event.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Events kept for a place while no client resumes there. A resume makes the feed keep more, up to
 * the window.
 */
const FEW = 128;
const KEEP_MANY_MS = 30_000;

export interface RecentEventsParts {
  readonly clock: Clock;
  readonly remembered: (place: ConversationKey, change: number) => void;
  readonly window: number;
}

/**
 * The newest events of a place, consecutive up to the feed's position. The content of deleted
 * messages is removed, because the events are replayed as they may be shown now.
 */
export class RecentEvents {
  readonly #place: ConversationKey;
  readonly #parts: RecentEventsParts;
  #position: number;
  #events: SequencedEvent[] = [];
  #bytes = 0;
  #keepManyUntil = Number.NEGATIVE_INFINITY;
  /** The newest number that the store's log does not have; 0 for none. */
  #missing = 0;

  constructor(place: ConversationKey, position: number, parts: RecentEventsParts) {
    this.#place = place;
    this.#position = position;
    this.#parts = parts;
  }

  /** Number of the event before the first remembered one. */
  get start(): number {
    return this.#position - this.#events.length;
  }

  /** True when all events after `after` are remembered. */
  covers(after: number): boolean {
    return after >= this.#position || this.start <= after;
  }

  /** The events after `after`, which must be covered. */
  after(after: number): readonly SequencedEvent[] {
    return after >= this.#position ? [] : this.#events.slice(this.#events.length - (this.#position - after));
  }

  /** Remembers up to the whole window for the next 30 s, because clients come back. */
  keepMany(): void {
    this.#keepManyUntil = this.#parts.clock.monotonic() + KEEP_MANY_MS;
  }

  /**
   * Adds the newest event. Numbers between it and the one before are missing from the store's log.
   */
  add(event: SequencedEvent): void {
    const missing = missingUpTo(event);
    if (missing > this.#position) {
      this.clear();
      this.missing(missing);
    }
    this.#position = event.seq;
    if (isRemoved(event)) return;
    const deleted = deletedBy(event);
    if (deleted !== null) this.#blank(deleted);
    this.#events.push(event);
    this.#weigh(bytesOf(event));
    const limit = this.#keepManyUntil > this.#parts.clock.monotonic() ? this.#parts.window : FEW;
    // The array is cut only at twice the limit, so that it is not copied for each event.
    if (this.#events.length > 2 * limit) this.#replace(this.#events.slice(-limit));
  }

  /**
   * The number from which to read so that `after` is covered. The second read within a short time
   * reads the whole window at once.
   */
  readFrom(after: number): number {
    const from = this.#events.length > FEW ? Math.min(after, this.#position - this.#parts.window) : after;
    return Math.max(0, from, this.#missing);
  }

  /**
   * Adds older events that were read from the store. Does nothing if events were dropped in the
   * meantime, so that a gap would remain.
   */
  prepend(events: readonly SequencedEvent[]): void {
    const last = events.at(-1)?.seq ?? this.start;
    if (last < this.start) return;
    const older = events.filter((event) => event.seq <= this.start);
    this.#replace(withoutDeleted([...older, ...this.#events]));
  }

  /**
   * Notes that the store's log has no event of this number. A replay that needs it is not possible.
   */
  missing(seq: number): void {
    this.#missing = Math.max(this.#missing, seq);
  }

  /** True when an event after `after` is missing from the store's log. */
  isMissing(after: number): boolean {
    return after < this.#missing;
  }

  clear(): void {
    this.#replace([]);
  }

  #blank(id: MessageId): void {
    const deleted = new Set([id]);
    for (const [i, event] of this.#events.entries()) {
      const without = withoutTextOf(event, deleted);
      if (without === event) continue;
      this.#events[i] = without;
      this.#weigh(bytesOf(without) - bytesOf(event));
    }
  }

  #replace(events: SequencedEvent[]): void {
    this.#events = events;
    this.#weigh(events.reduce((sum, event) => sum + bytesOf(event), 0) - this.#bytes);
  }

  #weigh(change: number): void {
    this.#bytes += change;
    this.#parts.remembered(this.#place, change);
  }
}

/** Memory of an event without its texts, in bytes. */
const EVENT_BYTES = 400;

/** An estimate: a character may take two bytes. */
function bytesOf(event: SequencedEvent): number {
  return EVENT_BYTES + 2 * charactersOf(event);
}

function charactersOf(event: SequencedEvent): number {
  switch (event.kind) {
    case 'message':
    case 'modify':
      return event.content.length;
    case 'file':
      return event.content.length + (event.fileName?.length ?? 0);
    case 'reply':
      return event.content.length + (event.parentContent?.length ?? 0);
    case 'delete':
    case 'unknown':
      return 0;
  }
}
