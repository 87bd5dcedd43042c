/** The numbers that one user heard of one room. */
interface Heard {
  last: number;
  missing: Set<number> | null;
}

const MAX_ROOMS = 1_000_000;

/**
 * The messages that each user heard in each room. A room has one publisher, who numbers its
 * messages from 1. So loss, repetition and disorder are exact.
 */
export class HeardMessages {
  readonly #pairs = new Map<number, Heard>();
  delivered = 0;
  duplicated = 0;
  outOfOrder = 0;

  /** Number of the last message that the user heard in the room; 0 for none. */
  last(userId: number, room: number): number {
    return this.#pairs.get(userId * MAX_ROOMS + room)?.last ?? 0;
  }

  /** Returns false for a message that the user has heard before. */
  take(userId: number, room: number, seq: number): boolean {
    const pair = userId * MAX_ROOMS + room;
    let heard = this.#pairs.get(pair);
    if (heard === undefined) {
      heard = { last: 0, missing: null };
      this.#pairs.set(pair, heard);
    }
    if (seq > heard.last) {
      for (let missed = heard.last + 1; missed < seq; missed += 1) {
        heard.missing ??= new Set();
        heard.missing.add(missed);
      }
      heard.last = seq;
    } else if (heard.missing?.delete(seq) === true) this.outOfOrder += 1;
    else {
      this.duplicated += 1;
      return false;
    }
    this.delivered += 1;
    return true;
  }
}
