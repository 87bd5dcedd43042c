import type { MongoClient, ServerHeartbeatSucceededEvent } from 'mongodb';

/**
 * Answers from which the clock is estimated. The driver asks each member every 3 s or more rarely.
 */
const MAX_SAMPLES = 6;

/**
 * The wall clock of MongoDB's primary, in milliseconds since 1970.
 *
 * The ages of batches and nonces are compared by all servers. So their times come from this clock,
 * which all servers share, and jumps of a server's own clock do not matter. The clock is read from
 * the answers of the driver's monitoring, which cost nothing. An answer that was read late shows an
 * earlier time than a prompt one, so the latest of the last answers counts.
 */
export class StoreClock {
  /** Differences between the primary's wall clock and this process's monotonic clock. */
  readonly #samples: number[] = [];

  /** @param client not connected yet */
  constructor(client: Pick<MongoClient, 'on'>) {
    client.on('serverHeartbeatSucceeded', ({ reply }: ServerHeartbeatSucceededEvent) => this.#learn(reply));
  }

  /** The server's own clock until the primary has answered once. */
  now(): number {
    return this.#samples.length === 0 ? Date.now() : Math.round(performance.now() + Math.max(...this.#samples));
  }

  #learn({ isWritablePrimary, localTime }: ServerHeartbeatSucceededEvent['reply']): void {
    if (isWritablePrimary !== true || !(localTime instanceof Date)) return;
    this.#samples.push(localTime.getTime() - performance.now());
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }
}
