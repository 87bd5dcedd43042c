import type { UserId } from '../../domain/ids.ts';
import { isCreating, type SequencedEvent } from '../../domain/stored-event.ts';
import { BoundedMap } from '../bounded-map.ts';

/** Events of one place that are remembered. After more of them, a count is read from the store. */
const MAX_EVENTS = 256;

/** The event creates no message. */
const NO_MESSAGE = 0;
/** The event can make a count smaller, so counts across it are read from the store. */
const UNCOUNTABLE = -1;

/**
 * The authors of the latest messages of one place, by number. Events may come in any order: those
 * that another server stored come over the bus.
 */
export class RecentAuthors {
  readonly #authors = new BoundedMap<number, UserId>(MAX_EVENTS);
  #newest = 0;

  /** Newest number that was added. */
  get newest(): number {
    return this.#newest;
  }

  /** Returns the author if the event creates a message and is not known yet, otherwise null. */
  add(event: SequencedEvent): UserId | null {
    if (this.#authors.has(event.seq)) return null;
    this.#newest = Math.max(this.#newest, event.seq);
    this.#authors.set(event.seq, authorOf(event));
    return event.kind !== 'unknown' && isCreating(event) ? event.userId : null;
  }

  /**
   * The messages of others after the event `seq`. Null if that cannot be said: an event in between
   * is not known, or is one that can make a count smaller.
   */
  ofOthersAfter(seq: number, userId: UserId): number | null {
    if (this.#newest - seq > MAX_EVENTS) return null;
    let count = 0;
    for (let at = seq + 1; at <= this.#newest; at += 1) {
      const author = this.#authors.get(at) ?? UNCOUNTABLE;
      if (author === UNCOUNTABLE) return null;
      if (author !== NO_MESSAGE && author !== userId) count += 1;
    }
    return count;
  }
}

function authorOf(event: SequencedEvent): UserId {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
      return event.userId;
    case 'modify':
      return NO_MESSAGE;
    case 'delete':
    case 'unknown':
      return UNCOUNTABLE;
  }
}
