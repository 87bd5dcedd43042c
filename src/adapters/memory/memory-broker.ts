import type { IncomingRecord, RecordHandler } from '../../application/ports/message-bus.ts';

/**
 * Faults that a test can switch on. Each is a probability from 0 up to, not including, 1, and is
 * drawn for each record and each receiver.
 */
export interface Faults {
  /** The record never arrives. */
  drop?: number;
  /** The record arrives again later. */
  duplicate?: number;
  /**
   * The record waits for a later turn. Records of the same key and kind wait with it, so their
   * order holds.
   */
  delay?: number;
  /**
   * Returns numbers from 0 up to, not including, 1. {@link seededRandom} returns the same ones in
   * each run.
   */
  random?: () => number;
}

/** A record to deliver, with its lane (key and kind). Records of one lane keep their order. */
export interface Delivery {
  readonly lane: string;
  readonly record: IncomingRecord;
}

/**
 * Hands every record to every server that has joined. Each server has a queue of its own. For
 * servers in one process.
 */
export class MemoryBroker {
  faults: Faults = {};
  #down = false;
  readonly #members = new Map<string, Member>();
  readonly #held = new Set<string>();
  readonly #soon: (task: () => void) => void;

  /**
   * @param soon schedules the delivery of queued records: at the next turn of the event loop, or as
   * a test with virtual time decides
   */
  constructor(soon: (task: () => void) => void = setImmediate) {
    this.#soon = soon;
  }

  get isDown(): boolean {
    return this.#down;
  }

  /** From now on `publish` rejects. Accepted records still arrive. */
  stop(): void {
    this.#down = true;
  }

  restart(): void {
    this.#down = false;
  }

  /** Holds the records for this server until {@link release}. The other servers get theirs. */
  hold(serverId: string): void {
    this.#held.add(serverId);
  }

  release(serverId: string): void {
    this.#held.delete(serverId);
    this.#members.get(serverId)?.wake();
  }

  /** Returns false if a live server has this id. */
  join(serverId: string, handler: RecordHandler): boolean {
    if (this.#members.has(serverId)) return false;
    const isHeld = () => this.#held.has(serverId);
    this.#members.set(serverId, new Member({ handler, isHeld, faults: () => this.faults, soon: this.#soon }));
    return true;
  }

  leave(serverId: string): void {
    this.#members.get(serverId)?.end();
    this.#members.delete(serverId);
  }

  append(deliveries: readonly Delivery[]): void {
    for (const member of this.#members.values()) member.take(deliveries);
  }
}

interface MemberParts {
  readonly handler: RecordHandler;
  readonly isHeld: () => boolean;
  readonly faults: () => Faults;
  readonly soon: (task: () => void) => void;
}

/** A server that has joined, with its queue. */
class Member {
  #queue: Delivery[] = [];
  #scheduled = false;
  #ended = false;
  readonly #parts: MemberParts;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  take(deliveries: readonly Delivery[]): void {
    const { drop = 0, random = Math.random } = this.#parts.faults();
    for (const one of deliveries) if (drop === 0 || random() >= drop) this.#queue.push(one);
    this.wake();
  }

  wake(): void {
    if (this.#scheduled || this.#ended || this.#queue.length === 0 || this.#parts.isHeld()) return;
    this.#scheduled = true;
    this.#parts.soon(this.#turn);
  }

  end(): void {
    this.#ended = true;
    this.#queue = [];
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const batch = this.#queue;
    this.#queue = [];
    const { duplicate = 0, delay = 0, random = Math.random } = this.#parts.faults();
    const waiting = new Set<string>();
    const kept: Delivery[] = [];
    for (const one of batch) {
      if (this.#ended) return;
      if (this.#parts.isHeld() || waiting.has(one.lane) || (delay > 0 && random() < delay)) {
        waiting.add(one.lane);
        kept.push(one);
        continue;
      }
      if (duplicate > 0 && random() < duplicate) kept.push(one);
      this.#parts.handler(one.record);
    }
    if (this.#ended) return;
    this.#queue = kept.concat(this.#queue);
    this.wake();
  };
}

/**
 * Random numbers from 0 up to, not including, 1. The same seed gives the same numbers (algorithm
 * mulberry32).
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
