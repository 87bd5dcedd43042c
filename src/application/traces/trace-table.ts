import type { TraceAnswer, TraceQuestion } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { type SeenStep, type TraceStep, type TraceSubject, traceStep } from '../../domain/trace.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { StepScope, Watcher } from '../ports/watcher.ts';

/** Steps of one trace that wait on this server. They fit into one record of the bus. */
export const MAX_WAITING_STEPS = 1_000;
/** A trace that nobody has read yet ends after this time, in milliseconds. */
export const UNREAD_MS = 60_000;
/** A trace whose reader does not ask any more ends after this time, in milliseconds. */
const LEASE_MS = 10_000;
const SWEEP_MS = 1_000;

/** A trace as every server knows it. */
export interface KnownTrace {
  readonly id: string;
  readonly subject: TraceSubject;
  /** When it ends, on the monotonic clock of this server. */
  readonly endsAt: number;
  /** The administrator and their nonce, or null. */
  readonly nonceKey: string | null;
}

interface Entry extends KnownTrace {
  /** The reading that takes the steps; null until somebody reads. */
  reader: string | null;
  leaseUntil: number;
  /** All steps so far, those included that were taken or found no room. */
  total: number;
  steps: TraceStep[];
}

export interface TraceTableParts {
  readonly clock: Clock;
  readonly subscribers: Pick<LocalSubscribers, 'watch'>;
}

/**
 * The active traces as this server knows them, and the steps that it has seen. The reader's server
 * asks for the steps about once a second. A trace ends here when nobody asks any more.
 */
export class TraceTable implements Watcher {
  readonly users = new Set<UserId>();
  readonly places = new Set<PlaceKey>();
  readonly #parts: TraceTableParts;
  readonly #entries = new Map<string, Entry>();
  #timer: Timer | null = null;

  constructor(parts: TraceTableParts) {
    this.#parts = parts;
  }

  /** True while there is a trace. */
  get isActive(): boolean {
    return this.#timer !== null;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(id: string): KnownTrace | undefined {
    return this.#entries.get(id);
  }

  withNonce(nonceKey: string): KnownTrace | undefined {
    for (const entry of this.#entries.values()) if (entry.nonceKey === nonceKey) return entry;
    return undefined;
  }

  /** Milliseconds until the first trace ends; 0 without a trace. */
  get firstEndMs(): number {
    const ends = Array.from(this.#entries.values(), ({ endsAt }) => endsAt);
    return ends.length === 0 ? 0 : Math.max(0, Math.min(...ends) - this.#parts.clock.monotonic());
  }

  /** Begins, continues or ends a trace, and hands out its steps. */
  answer({ id, subject, remainingMs, reader, take, ends, nonceKey }: TraceQuestion): TraceAnswer {
    const now = this.#parts.clock.monotonic();
    let entry = this.#entries.get(id);
    if (entry !== undefined && entry.reader !== null && entry.reader !== reader) {
      return { type: 'trace', isTaken: true, total: 0, steps: [] };
    }
    if (ends) {
      if (entry !== undefined) this.#remove(entry);
      return { type: 'trace', isTaken: false, total: entry?.total ?? 0, steps: entry?.steps ?? [] };
    }
    if (entry === undefined) {
      const endsAt = now + remainingMs;
      entry = { id, subject, endsAt, nonceKey, reader, leaseUntil: 0, total: 0, steps: [] };
      this.#entries.set(id, entry);
      this.#changed();
    }
    entry.reader = reader;
    entry.leaseUntil = Math.min(now + (reader === null ? UNREAD_MS : LEASE_MS), entry.endsAt + LEASE_MS);
    const steps = take ? entry.steps : [];
    if (take) entry.steps = [];
    return { type: 'trace', isTaken: false, total: entry.total, steps };
  }

  saw(seen: SeenStep, scope: StepScope = 'both'): void {
    let step: TraceStep | null = null;
    for (const entry of this.#entries.values()) {
      const { subject } = entry;
      const isWanted =
        subject.kind === 'user'
          ? scope !== 'place' && subject.userId === seen.userId
          : scope !== 'user' && subject.place === seen.place;
      if (!isWanted) continue;
      entry.total += 1;
      step ??= traceStep(seen, this.#parts.clock.now());
      if (entry.steps.length < MAX_WAITING_STEPS) entry.steps.push(step);
    }
  }

  /** Ends all traces on this server. */
  stop(): void {
    this.#entries.clear();
    this.#changed();
  }

  #remove({ id }: Entry): void {
    this.#entries.delete(id);
    this.#changed();
  }

  #changed(): void {
    this.users.clear();
    this.places.clear();
    for (const { subject } of this.#entries.values()) {
      if (subject.kind === 'user') this.users.add(subject.userId);
      else this.places.add(subject.place);
    }
    if (this.#entries.size > 0) {
      if (this.#timer === null) this.#parts.subscribers.watch(this);
      this.#timer ??= this.#parts.clock.after(SWEEP_MS, () => this.#sweep());
    } else if (this.#timer !== null) {
      this.#timer.cancel();
      this.#timer = null;
      this.#parts.subscribers.watch(null);
    }
  }

  #sweep(): void {
    const now = this.#parts.clock.monotonic();
    this.#timer = this.#parts.clock.after(SWEEP_MS, () => this.#sweep());
    for (const entry of this.#entries.values()) if (entry.leaseUntil <= now) this.#remove(entry);
  }
}
