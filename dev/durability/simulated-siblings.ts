import { EventRecord } from '../../src/adapters/records/event-record.ts';
import type { OutgoingRecord, RecordHandler } from '../../src/application/ports/message-bus.ts';
import type { SiblingWorkers } from '../../src/application/ports/sibling-workers.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A worker and its gate: a dead worker handles nothing, a frozen one handles it later. */
interface Worker {
  readonly gate: (task: () => void) => void;
  handler: RecordHandler | null;
  /** For each sender, the time at which its last record arrives here. */
  readonly arrivals: Map<string, number>;
}

/** Probability that a worker is cut off at the moment, and misses the records of a call. */
const LOSS = 0.1;
const SLOW = 0.05;
const MAX_SLOW_MS = 300;
const MAX_FAST_MS = 3;

/** Takes stored events between the workers of a simulation. It loses and delays some of them. */
export class SimulatedSiblings {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #workers = new Map<string, Worker>();

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  of(server: string, gate: (task: () => void) => void): SiblingWorkers {
    const worker: Worker = { gate, handler: null, arrivals: new Map() };
    this.#workers.set(server, worker);
    return {
      listen: (handler) => {
        worker.handler = handler;
      },
      send: (records) => this.#send(server, records),
      reaches: (other) => other !== server && this.#workers.has(other),
    };
  }

  leave(server: string): void {
    this.#workers.delete(server);
  }

  #send(from: string, records: readonly OutgoingRecord[]): void {
    for (const [server, worker] of this.#workers) {
      if (server === from || this.#random() < LOSS) continue;
      const ms = this.#random() < SLOW ? this.#random() * MAX_SLOW_MS : this.#random() * MAX_FAST_MS;
      const now = this.#time.monotonic();
      // The records of one worker keep their order.
      const at = Math.max(now + ms, worker.arrivals.get(from) ?? 0);
      worker.arrivals.set(from, at);
      this.#time.after(at - now, () => {
        for (const { event, batchEnd } of records) {
          worker.gate(() => worker.handler?.(new EventRecord(event, from, batchEnd ?? null)));
        }
      });
    }
  }
}
