import type { Clock } from '../application/ports/clock.ts';
import type { Outage } from '../application/server-health.ts';

/** Time for which a single failure counts as an outage, in milliseconds. */
const INCIDENT_MS = 60_000;

/** The services behind this server that do not work at present. */
export class Outages {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #parts = new Map<string, { readonly reason: string; readonly until: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** The part does not work from now on. A second call replaces the reason. */
  began(part: string, reason: string): void {
    this.#parts.set(part, { reason, until: Number.POSITIVE_INFINITY });
  }

  ended(part: string): void {
    this.#parts.delete(part);
  }

  /** An operation of a part failed that does not report its recovery. It counts for a minute. */
  happened(part: string, reason: string): void {
    this.#parts.set(part, { reason, until: this.#clock.monotonic() + INCIDENT_MS });
  }

  list(): Outage[] {
    const now = this.#clock.monotonic();
    for (const [part, { until }] of this.#parts) if (until <= now) this.#parts.delete(part);
    return Array.from(this.#parts, ([part, { reason }]) => ({ part, reason }));
  }
}
