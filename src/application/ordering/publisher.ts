import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { MessageBus, OutgoingRecord } from '../ports/message-bus.ts';
import type { Outbox, UnpublishedBatch } from '../ports/outbox.ts';
import type { Random } from '../ports/random.ts';
import type { Span, Spans } from '../ports/spans.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { HeardNumbers } from './heard-numbers.ts';
import { Pace } from './pace.ts';
import { recordsOf } from './records-of.ts';
import type { Traces } from './sequencer.ts';

interface Batch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly events: readonly StoredEvent[];
  /** The positions of the events in traces, null for one that is not traced. Null: none is. */
  readonly traces?: Traces;
}

interface WaitingBatch {
  readonly batch: Batch;
  /** Monotonic time at which it was stored. */
  readonly since: number;
}

export interface PublisherParts {
  readonly bus: MessageBus;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly random: Random;
  /** Null: nothing is traced. */
  readonly spans?: Spans | null;
  /** Called for each batch found in the outbox: subscribers of this server may not have it yet. */
  readonly recovered: (batch: UnpublishedBatch) => void;
  /** The events that arrived from the bus, those of this server included. */
  readonly heard: Pick<HeardNumbers, 'has'>;
  /** True when no live server is known whose subscribers wait for the records. */
  readonly isAlone: () => boolean;
  /** Number of live servers that sweep before this one. */
  readonly rank: () => number;
  /**
   * Called after each read of the outbox. `isComplete` is false when the outbox has more batches
   * than these.
   */
  readonly outboxRead: (batches: readonly UnpublishedBatch[], isComplete: boolean) => void;
  readonly outboxFailed: (error: unknown) => void;
}

/** Events that may wait for the bus. Batches beyond it are left to the sweep. */
const MAX_WAITING_EVENTS = 10_000;
/** Time between two publishings. Events gather meanwhile. */
const INTERVAL_MS = 4;
/**
 * The same while no other server lives, apart from workers of this machine that get the events past
 * the bus. Then no subscriber waits for the records. At a thousand messages a second, Kafka needs
 * half the CPU time.
 */
const INTERVAL_ALONE_MS = 25;
const SWEEP_MS = 1_000;
/** Age from which a batch in the outbox counts as left behind. */
const OLD_MS = 3_000;
const SWEEP_BATCHES = 200;
/**
 * A server waits for this longer, in milliseconds, than the one before it. This is more than the
 * longest interval of sweeps, so the next server has heard what the one before it published.
 */
const RANK_MS = 2_000;
/** Traced batches whose positions are kept while the bus is away. */
const MAX_KEPT_TRACES = 1_000;
/** The status of a span. */
const NOT_TAKEN = 'the bus did not take it';
/** Ranks that still make a difference. */
const MAX_RANK = 3;

/**
 * Publishes stored events on the bus. A batch that cannot be published stays in the outbox. Each
 * server looks there for batches that are some seconds old and publishes them, whichever server
 * wrote them. A batch that was heard meanwhile is on the bus and only gets its mark. An event
 * that arrives twice does no harm to these servers, which recognize it by its number. Clients of an
 * original server see it twice.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #pace: Pace;
  #waiting: WaitingBatch[] = [];
  #waitingEvents = 0;
  #eventsUnderWay = 0;
  #outboxBatches = 0;
  /** The positions of batches that only the outbox has. The outbox does not keep them. */
  readonly #unpublishedTraces = new BoundedMap<string, NonNullable<Traces>>(MAX_KEPT_TRACES);
  #publishing: Promise<void> | null = null;
  #sweep: Timer | null = null;
  #sweeping: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts.clock);
  }

  start(): void {
    this.#planSweep();
  }

  /** Stored events that wait in this process for the bus, or are on their way to it. */
  get waitingEvents(): number {
    return this.#waitingEvents + this.#eventsUnderWay;
  }

  /** Batches that the last sweep found in the outbox, at most {@link SWEEP_BATCHES}. */
  get outboxBatches(): number {
    return this.#outboxBatches;
  }

  /** Publishes a stored batch soon. */
  stored(batch: Batch): void {
    if (this.#waitingEvents > MAX_WAITING_EVENTS) {
      this.#keepTraces(batch);
      return;
    }
    this.#waiting.push({ batch, since: this.#parts.clock.monotonic() });
    this.#waitingEvents += batch.events.length;
    this.#publishing ??= this.#publishAll().finally(() => {
      this.#publishing = null;
    });
  }

  /** Ends the sweep and publishes the waiting batches. Resolves when both are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweep?.cancel();
    await this.#sweeping;
    while (this.#publishing !== null) await this.#publishing;
  }

  async #publishAll(): Promise<void> {
    const { bus, outbox, clock, telemetry } = this.#parts;
    while (this.#waiting.length > 0) {
      await this.#gather();
      const began = clock.monotonic();
      // After 3 s, also of a stopped process, the sweep of another server may publish a batch.
      const batches = this.#waiting.filter(({ since }) => began - since < OLD_MS).map(({ batch }) => batch);
      for (const { batch, since } of this.#waiting) if (began - since >= OLD_MS) this.#keepTraces(batch);
      this.#waiting = [];
      this.#waitingEvents = 0;
      if (batches.length === 0) continue;
      this.#pace.begin();
      const events = batches.reduce((all, batch) => all + batch.events.length, 0);
      this.#eventsUnderWay = events;
      // A store that brings events to the other servers itself leaves only the mark to this one.
      const missing = batches.filter((batch) => !this.#wasHeard(batch));
      const spans: Span[] = [];
      let failure: string | null = NOT_TAKEN;
      try {
        if (missing.length > 0)
          await bus.publish(missing.flatMap((batch) => this.#tracedRecordsOf(batch, 'publish', spans)));
        failure = null;
        outbox.published(batches);
        telemetry.observe({ kind: 'publish', seconds: (clock.monotonic() - began) / 1_000, events });
      } catch (error) {
        telemetry.log('warn', 'stored events wait for the bus', { batches: batches.length, error });
        for (const batch of missing) this.#keepTraces(batch);
      }
      for (const span of spans) span.end(failure);
      this.#eventsUnderWay = 0;
    }
  }

  /** @param begun gets the spans of the traced events */
  #tracedRecordsOf(batch: Batch, name: 'publish' | 'republish', begun: Span[]): OutgoingRecord[] {
    const records = recordsOf(batch.events);
    const { traces = null } = batch;
    const spans = this.#parts.spans ?? null;
    if (traces === null || spans === null) return records;
    return records.map((record, i) => {
      const trace = traces[i] ?? null;
      const seq = batch.events[i]?.seq ?? 0;
      const span = trace === null ? null : spans.begin(name, trace, () => ({ place: batch.place, seq }));
      if (span === null) return record;
      begun.push(span);
      return { ...record, trace: span.traceparent };
    });
  }

  async #gather(): Promise<void> {
    const { clock, isAlone } = this.#parts;
    const left = this.#pace.left(isAlone() ? INTERVAL_ALONE_MS : INTERVAL_MS);
    if (left > 0 && !this.#stopped) await new Promise<void>((resolve) => clock.after(left, resolve));
  }

  #planSweep(): void {
    if (this.#stopped) return;
    const { clock, random } = this.#parts;
    // The random part keeps servers that start together from sweeping together.
    this.#sweep = clock.after(SWEEP_MS * (0.75 + random() / 2), () => {
      this.#sweeping = this.#sweepOnce().finally(() => {
        this.#sweeping = null;
        this.#planSweep();
      });
    });
  }

  async #sweepOnce(): Promise<void> {
    const { outbox, telemetry, recovered } = this.#parts;
    try {
      for (;;) {
        const batches = await this.#unpublished();
        if (batches.length === 0 || this.#stopped) return;
        const { onBus = [], missing = [] } = Object.groupBy(batches, (batch) =>
          this.#wasHeard(batch) ? 'onBus' : 'missing',
        );
        outbox.published(onBus);
        for (const batch of onBus) this.#unpublishedTraces.delete(keyOf(batch));
        for (const batch of missing) recovered(batch);
        if (missing.length > 0) await this.#republish(missing);
        outbox.published(missing);
        telemetry.count('outbox_republished', missing.length);
        if (batches.length < SWEEP_BATCHES) return;
      }
    } catch (error) {
      telemetry.log('debug', 'the outbox could not be emptied', { error });
    }
  }

  async #republish(batches: readonly UnpublishedBatch[]): Promise<void> {
    const spans: Span[] = [];
    const traced = batches.map((batch) => ({ ...batch, traces: this.#unpublishedTraces.get(keyOf(batch)) ?? null }));
    let failure: string | null = NOT_TAKEN;
    try {
      await this.#parts.bus.publish(traced.flatMap((batch) => this.#tracedRecordsOf(batch, 'republish', spans)));
      failure = null;
      for (const batch of batches) this.#unpublishedTraces.delete(keyOf(batch));
    } finally {
      for (const span of spans) span.end(failure);
    }
  }

  /** Keeps the positions of a batch in traces until the sweep publishes it. */
  #keepTraces(batch: Batch): void {
    if (batch.traces != null) this.#unpublishedTraces.set(keyOf(batch), batch.traces);
  }

  /** True if all records of the batch were heard, so that only the mark is missing. */
  #wasHeard({ place, first, events }: Batch): boolean {
    return this.#parts.heard.has(place, first, first + events.length - 1);
  }

  async #unpublished(): Promise<readonly UnpublishedBatch[]> {
    const { outbox, clock, rank, outboxRead, outboxFailed } = this.#parts;
    try {
      const began = clock.monotonic();
      const age = OLD_MS + Math.min(rank(), MAX_RANK) * RANK_MS;
      const batches = await outbox.unpublished(age, SWEEP_BATCHES);
      // The process may have been stopped meanwhile. Then other servers have published these
      // batches.
      if (clock.monotonic() - began > OLD_MS) return [];
      this.#outboxBatches = batches.length;
      outboxRead(batches, batches.length < SWEEP_BATCHES);
      return batches;
    } catch (error) {
      outboxFailed(error);
      throw error;
    }
  }
}

function keyOf({ place, first }: Batch): string {
  return `${place} ${first}`;
}
