import { Histogram } from './histogram.ts';

/** The counts of a load test. */
export class Tally {
  readonly receipt = new Histogram();
  readonly delivery = new Histogram();
  sent = 0;
  receipted = 0;
  deliveries = 0;
  twice = 0;
  outOfOrder = 0;
  resets = 0;
  reconnects = 0;
  /** Refused sends, by code. */
  readonly refused = new Map<number, number>();
  /** The last reason for which a connection ended; null before the first one. */
  lastEnd: string | null = null;
  /** `performance.now()` of the first try to send, by nonce. */
  readonly sentAt = new Map<string, number>();

  refuse(code: number): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }
}

/** The numbers that one subscriber of a place has got. */
export class HeardNumbers {
  /** The greatest number. */
  last: number;
  readonly #tally: Tally;
  /** Smaller numbers that have not come. */
  readonly #missing = new Set<number>();

  /** @param from events up to this number are not expected */
  constructor(from: number, tally: Tally) {
    this.last = from;
    this.#tally = tally;
  }

  take(seq: number): void {
    if (seq > this.last) {
      for (let missed = this.last + 1; missed < seq; missed++) this.#missing.add(missed);
      this.last = seq;
    } else if (this.#missing.delete(seq)) this.#tally.outOfOrder += 1;
    else this.#tally.twice += 1;
  }

  /** The server gives up to send the events up to `seq`. */
  reset(seq: number): void {
    this.#tally.resets += 1;
    this.last = seq;
  }

  /** The count of numbers up to `newest` that have not come. */
  lost(newest: number): number {
    return this.#missing.size + Math.max(0, newest - this.last);
  }
}
