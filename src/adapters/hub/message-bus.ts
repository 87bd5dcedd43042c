import type {
  BusHealth,
  IncomingRecord,
  MessageBus,
  OutgoingRecord,
  RecordHandler,
} from '../../application/ports/message-bus.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { EventRecord } from '../records/event-record.ts';
import { carried, LazyRecord } from './carried-record.ts';
import type { HubClient } from './hub-client.ts';

const START_MS = 10_000;
const PUBLISH_MS = 5_000;

export interface HubMessageBusParts {
  readonly hub: HubClient;
  readonly telemetry: Telemetry;
  /** The events that a shared database brings to all workers itself; null if there is none. */
  readonly storedEvents?: { listen(hear: RecordHandler): void } | null;
  /** The hub refuses this server after the start. The server must stop. */
  readonly onRefused?: (error: Error) => void;
}

/**
 * The bus of the worker processes of one machine. Records are encoded once by the writer, and
 * decoded by the workers that need them. A record that is published while a worker's connection is
 * lost does not reach that worker.
 */
export class HubMessageBus implements MessageBus {
  readonly #parts: HubMessageBusParts;
  #state: 'new' | 'started' | 'closed' = 'new';
  #handler: RecordHandler = () => {};
  #refusal: (() => void) | null = null;

  constructor(parts: HubMessageBusParts) {
    this.#parts = parts;
  }

  async start(handler: RecordHandler): Promise<void> {
    const { hub } = this.#parts;
    if (this.#state !== 'new') throw new Error(`the message bus of server ${hub.server} cannot be started again`);
    try {
      await this.#join();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#handler = handler;
    this.#state = 'started';
    this.#parts.storedEvents?.listen((record) => this.#hear(record));
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    const { hub } = this.#parts;
    if (this.#state !== 'started') throw new Error(`the message bus of server ${hub.server} is not running`);
    const own = records.map(
      ({ event, batchEnd, trace }) => new EventRecord(event, hub.server, batchEnd ?? null, trace),
    );
    await hub.publish(own.map(carried), PUBLISH_MS);
    // The writer receives its own records too, and needs no copy of them.
    for (const record of own) this.#hear(record);
  }

  health(): BusHealth {
    if (this.#state !== 'started') return { ready: false, reason: `the message bus is ${this.#state}` };
    const { hub } = this.#parts;
    return hub.isJoined ? { ready: true } : { ready: false, reason: hub.reason };
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#parts.hub.leave();
  }

  #hear(record: IncomingRecord): void {
    if (this.#state !== 'started') return;
    try {
      this.#handler(record);
    } catch (error) {
      // A handler that throws has a defect. The records behind this one still arrive.
      this.#parts.telemetry.log('error', 'record handler threw', { key: record.key, error });
    }
  }

  #join(): Promise<void> {
    const { hub } = this.#parts;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(hub.reason)), START_MS);
      const settle = (then: () => void) => {
        clearTimeout(late);
        then();
      };
      this.#refusal = () => settle(() => reject(new Error(hub.reason)));
      hub.listen({
        joined: () => settle(resolve),
        refused: () => this.#refused(),
        records: (records) => {
          for (const record of records) this.#hear(new LazyRecord(record));
        },
      });
    });
  }

  #refused(): void {
    const { hub, onRefused } = this.#parts;
    if (this.#state === 'new') this.#refusal?.();
    else if (this.#state === 'started') {
      const error = new Error(hub.reason);
      void this.close();
      onRefused?.(error);
    }
  }
}
