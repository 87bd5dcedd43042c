import type { Clock, Timer } from '../../application/ports/clock.ts';
import { Refusal } from '../../domain/errors.ts';

/** The `heart-beat` header of the server, in ms: how often it can send, and wants to receive. */
export const OFFERED_BEATS = '10000,10000';
const OFFERED_MS = 10_000;

const SWEEP_MS = 1_000;

/**
 * Seconds. Hidden browser tabs send a heart-beat once a minute whatever they promised, so two
 * minutes of silence are allowed.
 */
const MIN_SILENCE_LIMIT = 120;
/** Heart-beats of the client that may be missing. */
const MAX_MISSING_BEATS = 3;

const BEATS = /^ *([0-9]+) *, *([0-9]+) *$/;

/** The heart-beats of one connection, in seconds. 0 stands for never. */
export interface HeartBeats {
  /** The longest time between two sends of the server. */
  readonly sendEvery: number;
  /**
   * The server closes the connection when the client was silent for this time. The pings of the
   * WebSocket find dead connections sooner, also those of clients that promised no heart-beats.
   */
  readonly silenceLimit: number;
}

/**
 * Agrees on heart-beats according to the client's `heart-beat` header.
 * @throws Refusal `bad-input`
 */
export function negotiateBeats(header: string | undefined): HeartBeats {
  const match = BEATS.exec(header ?? '0,0');
  if (match === null) {
    throw new Refusal('bad-input', 'heart-beat must be two numbers of milliseconds, for example 10000,10000');
  }
  const [canSend, wants] = [Number(match[1]), Number(match[2])];
  const every = Math.max(canSend, OFFERED_MS);
  return {
    // A second early, because the sweep runs once a second.
    sendEvery: wants === 0 ? 0 : Math.floor(Math.max(wants, OFFERED_MS) / 1000) - 1,
    silenceLimit: canSend === 0 ? 0 : Math.max(Math.ceil((MAX_MISSING_BEATS * every) / 1000), MIN_SILENCE_LIMIT),
  };
}

/** Something that the sweep visits once a second. Must not throw. */
export interface SweepTarget {
  /** @param now milliseconds since 1970 */
  sweep(now: number): void;
}

/**
 * One timer for all connections: heart-beats, limits of silence, expiry of tokens. It stops while
 * there are no connections.
 */
export class Sweep {
  /**
   * Seconds since the first connection, counted by the timer. A wall clock that is set would end
   * every connection. A plain field, because each delivery reads it.
   */
  tick = 0;
  readonly #clock: Clock;
  readonly #targets = new Set<SweepTarget>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#targets.size;
  }

  add(target: SweepTarget): void {
    this.#targets.add(target);
    this.#timer ??= this.#clock.after(SWEEP_MS, this.#run);
  }

  drop(target: SweepTarget): void {
    this.#targets.delete(target);
    if (this.#targets.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  targets(): SweepTarget[] {
    return [...this.#targets];
  }

  readonly #run = (): void => {
    this.tick += 1;
    this.#timer = this.#clock.after(SWEEP_MS, this.#run);
    const now = this.#clock.now();
    for (const target of this.#targets) target.sweep(now);
  };
}
