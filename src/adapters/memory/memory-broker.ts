import type { IncomingRecord, RecordHandler } from '../../application/ports/message-bus.ts';

/** What a test may ask the broker to do wrong. Probabilities are from 0 up to, not including, 1, each record and receiver anew. */
export interface Faults {
  /** The record never arrives. */
  drop?: number;
  /** The record arrives once more, later. */
  duplicate?: number;
  /** The record waits for another turn, and what shares its key and kind waits with it: order holds there and nowhere else. */
  delay?: number;
  /** Gives numbers from 0 up to, not including, 1; {@link seededRandom} repeats them from run to run. */
  random?: () => number;
}

/** A record on its way, with the lane (key and kind) in which order holds. */
export interface Carried {
  readonly lane: string;
  readonly record: IncomingRecord;
}

/** Hands every record to every server that has joined, each at its own pace. For servers that live in one process. */
export class MemoryBroker {
  faults: Faults = {};
  #down = false;
  readonly #members = new Map<string, Member>();
  readonly #held = new Set<string>();
  readonly #soon: (task: () => void) => void;

  /** @param soon when records that wait are handed on; a test with a time of its own gives another than the event loop's next turn */
  constructor(soon: (task: () => void) => void = setImmediate) {
    this.#soon = soon;
  }

  get isDown(): boolean {
    return this.#down;
  }

  /** From now on `publish` rejects; what was accepted still arrives. */
  stop(): void {
    this.#down = true;
  }

  restart(): void {
    this.#down = false;
  }

  /** Records for this server wait until {@link release}; the other servers are not touched. */
  hold(serverId: string): void {
    this.#held.add(serverId);
  }

  release(serverId: string): void {
    this.#held.delete(serverId);
    this.#members.get(serverId)?.wake();
  }

  /** Returns false where a live server has this id. */
  join(serverId: string, handler: RecordHandler): boolean {
    if (this.#members.has(serverId)) return false;
    this.#members.set(serverId, new Member(handler, () => this.#held.has(serverId), this.#faultsNow, this.#soon));
    return true;
  }

  leave(serverId: string): void {
    this.#members.get(serverId)?.end();
    this.#members.delete(serverId);
  }

  append(carried: readonly Carried[]): void {
    for (const member of this.#members.values()) member.take(carried);
  }

  readonly #faultsNow = (): Faults => this.faults;
}

class Member {
  #queue: Carried[] = [];
  #scheduled = false;
  #ended = false;
  readonly #handler: RecordHandler;
  readonly #held: () => boolean;
  readonly #faults: () => Faults;
  readonly #soon: (task: () => void) => void;

  constructor(handler: RecordHandler, held: () => boolean, faults: () => Faults, soon: (task: () => void) => void) {
    this.#handler = handler;
    this.#held = held;
    this.#faults = faults;
    this.#soon = soon;
  }

  take(carried: readonly Carried[]): void {
    const { drop = 0, random = Math.random } = this.#faults();
    for (const one of carried) if (drop === 0 || random() >= drop) this.#queue.push(one);
    this.wake();
  }

  wake(): void {
    if (this.#scheduled || this.#ended || this.#queue.length === 0 || this.#held()) return;
    this.#scheduled = true;
    this.#soon(this.#turn);
  }

  end(): void {
    this.#ended = true;
    this.#queue = [];
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const batch = this.#queue;
    this.#queue = [];
    const { duplicate = 0, delay = 0, random = Math.random } = this.#faults();
    const waiting = new Set<string>();
    const kept: Carried[] = [];
    for (const one of batch) {
      if (this.#ended) return;
      if (this.#held() || waiting.has(one.lane) || (delay > 0 && random() < delay)) {
        waiting.add(one.lane);
        kept.push(one);
        continue;
      }
      if (duplicate > 0 && random() < duplicate) kept.push(one);
      this.#handler(one.record);
    }
    if (this.#ended) return;
    this.#queue = kept.concat(this.#queue);
    this.wake();
  };
}

/** Numbers from 0 up to, not including, 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
