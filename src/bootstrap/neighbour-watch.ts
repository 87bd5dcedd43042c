import type { Clock, Timer } from '../application/ports/clock.ts';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { Outages } from './outages.ts';
import { refusedBy } from './refused.ts';

/** Milliseconds between two log lines about the same neighbour that does not answer. */
const REPEAT_MS = 60_000;

export interface NeighbourWatchParts {
  /** The neighbour's name in log lines, e.g. `presence`. */
  readonly name: string;
  /** The environment variable that says where the neighbour is. */
  readonly variable: string;
  /** The neighbour's address, without credentials. */
  readonly address: string;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, 'log'>;
  readonly outages: Outages;
}

/**
 * Logs that a neighbour service does not answer: when it is noticed, and once a minute for as long
 * as it lasts. The outage is on the health page as well. A neighbour that comes and goes causes at
 * most one warning a minute.
 */
export class NeighbourWatch {
  readonly #parts: NeighbourWatchParts;
  /** Why and since when the neighbour does not answer; null: it answers, or nothing is known. */
  #outage: { error: string; readonly since: number } | null = null;
  /** True after a warning that no line about the return has followed. */
  #hasWarned = false;
  /** Runs for a minute after a warning. */
  #timer: Timer | null = null;

  constructor(parts: NeighbourWatchParts) {
    this.#parts = parts;
  }

  /** An attempt to reach the neighbour failed. @param error the reason, human-readable */
  down(error: string): void {
    this.#outage ??= { error, since: this.#parts.clock.monotonic() };
    this.#outage.error = error;
    this.#parts.outages.began(this.#parts.name, error);
    if (this.#timer === null) this.#warn(this.#outage);
  }

  /** The neighbour has answered. */
  up(): void {
    this.#outage = null;
    this.#parts.outages.ended(this.#parts.name);
    if (!this.#hasWarned) return;
    this.#hasWarned = false;
    const { name, variable, address, telemetry } = this.#parts;
    telemetry.log('info', `the ${name} service answers again`, { variable, address });
  }

  /** Logs nothing from now on. */
  stop(): void {
    this.#timer?.cancel();
    this.#outage = null;
    this.#hasWarned = false;
  }

  #warn({ error, since }: { readonly error: string; readonly since: number }): void {
    const { name, variable, address, clock, telemetry } = this.#parts;
    const seconds = Math.round((clock.monotonic() - since) / 1000);
    const refused = refusedBy(variable, error);
    const reason = { variable: refused?.variable ?? variable, address, seconds, error: refused?.text ?? error };
    telemetry.log('warn', `the ${name} service does not answer`, reason);
    this.#hasWarned = true;
    this.#timer = clock.after(REPEAT_MS, () => {
      this.#timer = null;
      if (this.#outage !== null) this.#warn(this.#outage);
    });
  }
}
