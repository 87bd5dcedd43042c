import type { OutgoingRecord, RecordHandler } from './message-bus.ts';

/**
 * Takes stored events to the other workers of this machine before the bus does.
 *
 * **Delivery.** At most once. A worker that is starting, stopping or cut off misses records. The
 * bus brings every record to every worker as well, so a missed one is only late, and each worker
 * gets most records twice.
 *
 * **Order.** The records of one worker arrive in the order of its calls. Nothing else is ordered.
 */
export interface SiblingWorkers {
  /** Hands the records of the other workers to `handler` from now on. Called once. */
  listen(handler: RecordHandler): void;
  /** Sends records of stored events. Never throws, and does not wait. */
  send(records: readonly OutgoingRecord[]): void;
  /** True while records reach the worker with this server id; false for every other server. */
  reaches(server: string): boolean;
}
