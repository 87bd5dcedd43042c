import type { ConversationKey } from '../domain/place.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { MessageBus } from './ports/message-bus.ts';
import type { UnpublishedBatch } from './ports/outbox.ts';
import type { Telemetry } from './ports/telemetry.ts';

/** A part that does not work at present. */
export interface Outage {
  /** Name of the part, e.g. `bus`. */
  readonly part: string;
  /** Human-readable. */
  readonly reason: string;
}

export interface Health {
  /** False while this server should get no clients. */
  readonly ready: boolean;
  /** The reasons for which it should get none. Human-readable. */
  readonly reasons: readonly string[];
  /** Shared parts that do not work. They are away for every server, so they are no such reason. */
  readonly degraded: readonly Outage[];
}

export interface ServerHealthParts {
  readonly bus: Pick<MessageBus, 'health'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

const TICK_MS = 1_000;
/** A server whose event loop did not run for this long gets no clients. */
const BLOCKED_MS = 10_000;
/** Time after such a block in which the server handles the input that has waited. */
const RECOVERY_MS = 2_000;
/**
 * A working bus brings at least this server's own reports, every 2 s. After this time without any
 * record, nothing arrives from it.
 */
const SILENCE_MS = 30_000;
/**
 * Events of other servers count as a sign only from this silence on. The servers do not all lose a
 * bus at the same moment: events that were published shortly after this server lost it prove
 * nothing.
 */
const SIGNS_FROM_MS = 20_000;
/** Age at which an event that is not on the bus is surely listed in the outbox. */
const LISTED_MS = 12_000;
/** Time for which an event that another server published shows that the others have the bus. */
const SIGN_LASTS_MS = 60_000;
/** Places whose unheard events are remembered. */
const MAX_UNHEARD = 200;

interface UnheardEvent {
  readonly seq: number;
  /** Monotonic time at which it was read from the store. */
  readonly since: number;
}

/**
 * Decides whether this server should get clients.
 *
 * It should not while its event loop is blocked, and while it alone is cut off from the bus: it
 * has heard nothing for 30 s, but the store has events of other servers that are on the bus. A
 * shared part that is away is away for every server. It makes the server degraded and nothing else.
 */
export class ServerHealth {
  readonly #parts: ServerHealthParts;
  /** Events that this server read from the store without having heard them; one of each place. */
  readonly #unheard = new BoundedMap<ConversationKey, UnheardEvent>(MAX_UNHEARD);
  #timer: Timer | null = null;
  #tickAt: number;
  #heardAt: number;
  #hasHeard = false;
  /** Monotonic time at which it was last seen that other servers publish. */
  #signAt = Number.NEGATIVE_INFINITY;
  #block = { until: Number.NEGATIVE_INFINITY, ms: 0 };
  #storeFailure: string | null = null;
  #isCutOff = false;

  constructor(parts: ServerHealthParts) {
    this.#parts = parts;
    this.#tickAt = parts.clock.monotonic();
    this.#heardAt = this.#tickAt;
  }

  start(): void {
    this.#tickAt = this.#parts.clock.monotonic();
    this.#heardAt = this.#tickAt;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** A record arrived from the bus, of this server or another one. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** The store has this event of another server, and no record brought it here. */
  unheard(place: ConversationKey, seq: number): void {
    const now = this.#parts.clock.monotonic();
    if (this.#silence(now) >= SIGNS_FROM_MS && !this.#unheard.has(place)) this.#unheard.set(place, { seq, since: now });
  }

  /** The outbox was read. @param isComplete false if the store has more batches than these */
  outboxRead(batches: readonly UnpublishedBatch[], isComplete: boolean): void {
    this.#storeFailure = null;
    if (!isComplete) return;
    const now = this.#parts.clock.monotonic();
    for (const [place, { seq, since }] of this.#unheard) {
      if (now - since < LISTED_MS) continue;
      this.#unheard.delete(place);
      const isListed = batches.some(
        (batch) => batch.place === place && batch.first <= seq && seq < batch.first + batch.events.length,
      );
      if (!isListed) this.#signAt = now;
    }
  }

  outboxFailed(error: unknown): void {
    this.#storeFailure = textOf(error);
  }

  read(): Health {
    const now = this.#parts.clock.monotonic();
    const reasons = [...this.#blocked(now), ...this.#cutOff(now)];
    return { ready: reasons.length === 0, reasons, degraded: this.#degraded() };
  }

  #schedule(): void {
    this.#timer = this.#parts.clock.after(TICK_MS, () => {
      this.#schedule();
      this.#tick();
    });
  }

  #tick(): void {
    const { clock, telemetry } = this.#parts;
    const now = clock.monotonic();
    const ms = now - this.#tickAt;
    if (ms > BLOCKED_MS) {
      this.#block = { until: now + RECOVERY_MS, ms };
      telemetry.log('warn', 'the event loop was blocked, or the process was stopped', { ms: Math.round(ms) });
    }
    // The records that came during a block are not read yet.
    if (this.#hasHeard || ms > BLOCKED_MS) {
      this.#heardAt = now;
      this.#unheard.clear();
    }
    this.#hasHeard = false;
    this.#tickAt = now;
    const [reason] = this.#cutOff(now);
    if (reason !== undefined && !this.#isCutOff)
      telemetry.log('warn', 'this server is cut off from the bus', { reason });
    this.#isCutOff = reason !== undefined;
  }

  #blocked(now: number): string[] {
    const since = now - this.#tickAt;
    const ms = since > BLOCKED_MS ? since : now < this.#block.until ? this.#block.ms : 0;
    return ms === 0 ? [] : [`the event loop was blocked for ${seconds(ms)} s`];
  }

  #cutOff(now: number): string[] {
    const silence = this.#silence(now);
    if (silence < SILENCE_MS || now - this.#signAt > SIGN_LASTS_MS || this.#signAt < this.#heardAt) return [];
    return [`nothing was heard from the bus for ${seconds(silence)} s, but other servers publish`];
  }

  #silence(now: number): number {
    return this.#hasHeard ? 0 : now - this.#heardAt;
  }

  #degraded(): Outage[] {
    const { ready, reason = 'not ready' } = this.#parts.bus.health();
    return [
      ...(ready ? [] : [{ part: 'bus', reason }]),
      ...(this.#storeFailure === null ? [] : [{ part: 'store', reason: this.#storeFailure }]),
    ];
  }
}

/** The innermost cause says most: the outer texts are for clients. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : textOf(error.cause);
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
