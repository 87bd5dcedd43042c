/** Time, as a port so that tests hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` once after `ms`. Never keeps the process alive. */
  after(ms: number, task: () => void): Timer;
  /** Runs `task` once, soon: after the input that is already here was read, so that what came together is handled together. */
  soon(task: () => void): void;
}

export interface Timer {
  cancel(): void;
}
