import type { BusHealth, MessageBus, OutgoingRecord, RecordHandler } from '../../application/ports/message-bus.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { EventRecord } from '../records/event-record.ts';
import type { Delivery, MemoryBroker } from './memory-broker.ts';

/**
 * The bus of servers in one process, which share one {@link MemoryBroker}. Events are handed on by
 * reference and never encoded. For a single server it is the default bus.
 */
export class MemoryMessageBus implements MessageBus {
  readonly #broker: MemoryBroker;
  readonly #serverId: string;
  readonly #telemetry: Telemetry | undefined;
  #state: 'new' | 'started' | 'closed' = 'new';

  constructor(broker: MemoryBroker, serverId: string, telemetry?: Telemetry) {
    this.#broker = broker;
    this.#serverId = serverId;
    this.#telemetry = telemetry;
  }

  async start(handler: RecordHandler): Promise<void> {
    if (this.#state !== 'new') throw new Error(`the message bus of server ${this.#serverId} cannot be started again`);
    if (this.#broker.isDown) {
      this.#state = 'closed';
      throw new Error('the memory broker is down');
    }
    if (!this.#broker.join(this.#serverId, this.#guarded(handler))) {
      this.#state = 'closed';
      throw new Error(`another live server uses the server id ${this.#serverId}; each server needs its own id`);
    }
    this.#state = 'started';
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#state !== 'started') throw new Error(`the message bus of server ${this.#serverId} is not running`);
    if (this.#broker.isDown) throw new Error('the memory broker is down');
    this.#broker.append(records.map((record) => this.#delivery(record)));
  }

  health(): BusHealth {
    if (this.#state !== 'started') return { ready: false, reason: `the message bus is ${this.#state}` };
    return this.#broker.isDown ? { ready: false, reason: 'the memory broker is down' } : { ready: true };
  }

  async close(): Promise<void> {
    if (this.#state === 'started') this.#broker.leave(this.#serverId);
    this.#state = 'closed';
  }

  #delivery({ event, batchEnd, trace }: OutgoingRecord): Delivery {
    const record = new EventRecord(event, this.#serverId, batchEnd ?? null, trace);
    return { lane: `${record.key} ${event.kind}`, record };
  }

  #guarded(handler: RecordHandler): RecordHandler {
    return (record) => {
      try {
        handler(record);
      } catch (error) {
        // A handler that throws has a defect. The records behind this one still arrive.
        this.#telemetry?.log('error', 'record handler threw', { key: record.key, error });
      }
    };
  }
}
