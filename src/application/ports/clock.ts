/** Time and timers. It is a port so that tests control time. */
export interface Clock {
  /**
   * Wall clock, in milliseconds since 1970. For times that are stored or shown. It can jump in both
   * directions.
   */
  now(): number;
  /**
   * Milliseconds since some fixed moment. Never goes back and ignores wall clock jumps. For leases,
   * rates, timeouts and cache ages.
   */
  monotonic(): number;
  /**
   * Runs `task` once after `ms` milliseconds, and soon if `ms` is 0 or negative. A pending task
   * does not keep the process alive.
   */
  after(ms: number, task: () => void): Timer;
  /**
   * Runs `task` once, after the input that has already arrived was read. So input that arrives
   * together is handled together.
   */
  soon(task: () => void): void;
}

export interface Timer {
  cancel(): void;
}
