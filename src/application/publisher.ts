import type { ControlEvent, StoredEvent, TransientEvent } from '../domain/chat-event.ts';
import type { ConversationKey } from '../domain/conversation.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { MessageBus, OutgoingRecord } from './ports/message-bus.ts';
import type { Outbox, UnpublishedBatch } from './ports/message-store.ts';
import type { Telemetry } from './ports/telemetry.ts';

interface Batch {
  readonly place: ConversationKey;
  readonly first: number;
  readonly events: readonly StoredEvent[];
}

const MAX_WAITING_EVENTS = 10_000;
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
  }) {
    this.#bus = parts.bus;
    this.#outbox = parts.outbox;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#recovered = parts.recovered;
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

  /** Publishes what is not stored: heard by those who listen now, or by nobody. */
  transient(...events: readonly (TransientEvent | ControlEvent)[]): Promise<void> {
    return this.#bus
      .publish(events.map((event) => ({ event })))
      .catch((error: unknown) =>
        this.#telemetry.log('debug', 'not published', { kind: events[0]?.kind, reason: String(error) }),
      );
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
      const batches = this.#waiting;
      this.#waiting = [];
      this.#waitingEvents = 0;
      const began = this.#clock.now();
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
