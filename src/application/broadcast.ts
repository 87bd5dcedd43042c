import type { TransientEvent } from '../domain/chat-event.ts';
import type { ClusterEvent } from '../domain/cluster-event.ts';
import type { MessageBus } from './ports/message-bus.ts';
import type { Telemetry } from './ports/telemetry.ts';

/**
 * Sends events that are not stored to the other servers. Best effort: a server that does not hear
 * one of them never will.
 */
export class Broadcast {
  readonly #bus: MessageBus;
  readonly #telemetry: Telemetry;

  constructor(parts: { bus: MessageBus; telemetry: Telemetry }) {
    this.#bus = parts.bus;
    this.#telemetry = parts.telemetry;
  }

  /** Resolves when the bus has the events or gave up. Never rejects. */
  async send(...events: readonly (TransientEvent | ClusterEvent)[]): Promise<void> {
    try {
      await this.#bus.publish(events.map((event) => ({ event })));
    } catch (error) {
      this.#telemetry.log('debug', 'events were not published', { kind: events[0]?.kind, error });
    }
  }
}
