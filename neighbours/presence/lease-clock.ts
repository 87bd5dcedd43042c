/**
 * The clock of leases, in milliseconds since 1970. It starts with the wall clock of this process
 * and then ignores its jumps. Processes that share a store set it by the clock of the store, so
 * that their own clocks may differ.
 */
export class LeaseClock {
  /** Difference to the monotonic clock. */
  #offset = Date.now() - performance.now();

  now(): number {
    return Math.round(performance.now() + this.#offset);
  }

  /** @param storeNow time of the shared store at present */
  set(storeNow: number): void {
    this.#offset = storeNow - performance.now();
  }
}
