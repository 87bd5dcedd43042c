import type { Clock, Timer } from '../../application/ports/clock.ts';
import { Refusal } from '../../domain/errors.ts';

/** What the server offers: it sends, and wishes to hear, something every so many milliseconds. */
export const OFFERED_BEATS = '10000,10000';
const OFFERED_MS = 10_000;

const SWEEP_MS = 1_000;

/** Hidden browser tabs beat once a minute whatever they promised, so silence is borne for two. */
const LEAST_PATIENCE = 120;
const BEARABLE_BEATS = 3;

const BEATS = /^ *([0-9]{1,9}) *, *([0-9]{1,9}) *$/;

/** In seconds; 0 for never. */
export interface Beats {
  /** The server sends something at least this often. */
  readonly sendEvery: number;
  /** The client is given up after so much silence. The WebSocket's own pings find dead ones sooner, and those that promised nothing. */
  readonly patience: number;
}

/** What follows from a client's `heart-beat` header. @throws Refusal `bad-input` */
export function negotiateBeats(header: string | undefined): Beats {
  const match = BEATS.exec(header ?? '0,0');
  if (match === null) throw new Refusal('bad-input', 'heart-beat must be two numbers of milliseconds');
  const [canSend, wants] = [Number(match[1]), Number(match[2])];
  const every = Math.max(canSend, OFFERED_MS);
  return {
    // A second early: the sweep is no more exact than that.
    sendEvery: wants === 0 ? 0 : Math.floor(Math.max(wants, OFFERED_MS) / 1000) - 1,
    patience: canSend === 0 ? 0 : Math.max(Math.ceil((BEARABLE_BEATS * every) / 1000), LEAST_PATIENCE),
  };
}

/** Something that is looked at once a second. Must not throw. */
export interface Swept {
  sweep(now: number): void;
}

/** One timer for all connections: heart-beats, patience with the silent, expiry of tokens. Stands still while there are none. */
export class Sweep {
  /**
   * Seconds, counted instead of read from a clock: a clock that is set must not end every connection.
   * A plain field, read for each delivery.
   */
  tick = 0;
  readonly #clock: Clock;
  readonly #swept = new Set<Swept>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#swept.size;
  }

  add(item: Swept): void {
    this.#swept.add(item);
    this.#timer ??= this.#clock.after(SWEEP_MS, this.#run);
  }

  drop(item: Swept): void {
    this.#swept.delete(item);
    if (this.#swept.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  items(): Swept[] {
    return [...this.#swept];
  }

  readonly #run = (): void => {
    this.tick += 1;
    this.#timer = this.#clock.after(SWEEP_MS, this.#run);
    const now = this.#clock.now();
    for (const item of this.#swept) item.sweep(now);
  };
}
