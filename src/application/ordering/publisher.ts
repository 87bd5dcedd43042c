import type { ConversationKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { MessageBus, OutgoingRecord } from '../ports/message-bus.ts';
import type { Outbox, UnpublishedBatch } from '../ports/outbox.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Pace } from './pace.ts';

interface Batch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly events: readonly StoredEvent[];
}

const MAX_WAITING_EVENTS = 10_000;
/** Time from one publishing to the next; what gathers meanwhile goes together. */
const EVERY_MS = 4;
/** The same while no other server is heard of: then no subscriber waits for it, and Kafka does with half the CPU at a thousand messages a second. */
const EVERY_MS_ALONE = 25;
const SWEEP_MS = 1_000;
const OLD_MS = 3_000;
const SWEEP_BATCHES = 200;

/**
 * Brings what was stored to the bus. A batch that does not get there, for whatever reason, is still in the outbox, where each server looks for what is some
 * seconds old and publishes it, whoever wrote it; hearing an event twice does no harm, its number tells.
 */
export class Publisher {
  readonly #bus: MessageBus;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #recovered: (batch: UnpublishedBatch) => void;
  readonly #isAlone: () => boolean;
  readonly #pace: Pace;
  #waiting: Batch[] = [];
  #waitingEvents = 0;
  #publishing: Promise<void> | null = null;
  #sweep: Timer | null = null;
  #sweeping: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: {
    bus: MessageBus;
    outbox: Outbox;
    clock: Clock;
    telemetry: Telemetry;
    /** Told of each batch found in the outbox: subscribers of this server may be waiting for it. */
    recovered: (batch: UnpublishedBatch) => void;
    /** No other server is known to live. */
    isAlone: () => boolean;
  }) {
    this.#bus = parts.bus;
    this.#outbox = parts.outbox;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#recovered = parts.recovered;
    this.#isAlone = parts.isAlone;
    this.#pace = new Pace(parts.clock);
  }

  start(): void {
    this.#planSweep();
  }

  /** Publishes a batch that is stored. */
  stored(batch: Batch): void {
    // Beyond the bound it is left to the sweep.
    if (this.#waitingEvents > MAX_WAITING_EVENTS) return;
    this.#waiting.push(batch);
    this.#waitingEvents += batch.events.length;
    this.#publishing ??= this.#publishAll().finally(() => {
      this.#publishing = null;
    });
  }

  /** Publishes what waits, then stops looking for more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweep?.cancel();
    await this.#sweeping;
    while (this.#publishing !== null) await this.#publishing;
  }

  async #publishAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      const batches = this.#waiting;
      this.#waiting = [];
      this.#waitingEvents = 0;
      const began = this.#clock.now();
      this.#pace.begin();
      try {
        await this.#bus.publish(batches.flatMap(recordsOf));
        this.#outbox.published(batches);
        this.#telemetry.observe('publish_ms', this.#clock.now() - began);
      } catch (error) {
        this.#telemetry.log('warn', 'stored events wait for the bus', {
          batches: batches.length,
          reason: String(error),
        });
      }
    }
  }

  async #gather(): Promise<void> {
    const left = this.#pace.left(this.#isAlone() ? EVERY_MS_ALONE : EVERY_MS);
    if (left > 0 && !this.#stopped) await new Promise<void>((resolve) => this.#clock.after(left, resolve));
  }

  #planSweep(): void {
    if (this.#stopped) return;
    // Servers started together drift apart by the random part.
    this.#sweep = this.#clock.after(SWEEP_MS * (0.75 + Math.random() / 2), () => {
      this.#sweeping = this.#sweepOnce().finally(() => {
        this.#sweeping = null;
        this.#planSweep();
      });
    });
  }

  async #sweepOnce(): Promise<void> {
    try {
      for (;;) {
        const batches = await this.#outbox.unpublished(OLD_MS, SWEEP_BATCHES);
        if (batches.length === 0 || this.#stopped) return;
        for (const batch of batches) this.#recovered(batch);
        await this.#bus.publish(batches.flatMap(recordsOf));
        this.#outbox.published(batches);
        this.#telemetry.count('outbox_republished', batches.length);
        if (batches.length < SWEEP_BATCHES) return;
      }
    } catch (error) {
      this.#telemetry.log('debug', 'outbox not emptied', { reason: String(error) });
    }
  }
}

function recordsOf(batch: Batch): OutgoingRecord[] {
  const batchEnd = batch.first + batch.events.length - 1;
  return batch.events.map((event) => ({ event, batchEnd }));
}
