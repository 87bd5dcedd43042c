import type { ConversationKey } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';

const MAX_REMEMBERED = 10_000;
const LOG_INTERVAL_MS = 60_000;

export interface LogHolesParts {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly telemetry: Telemetry;
}

/**
 * Counts and logs numbers whose events the store no longer has. Each hole counts once. At most one
 * line a minute is logged, because a retention job makes a hole in each place.
 */
export class LogHoles {
  readonly #parts: LogHolesParts;
  /** The end of the newest hole that was found in each place. */
  readonly #known = new BoundedMap<ConversationKey, number>(MAX_REMEMBERED);
  #loggedAt = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(parts: LogHolesParts) {
    this.#parts = parts;
  }

  /** The events with the numbers `from` to `to` are missing. */
  found(place: ConversationKey, from: number, to: number): void {
    const { clock, telemetry } = this.#parts;
    if ((this.#known.get(place) ?? 0) >= to) return;
    this.#known.set(place, to);
    telemetry.count('log_holes');
    this.#unlogged += 1;
    const now = clock.monotonic();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    telemetry.log('warn', 'events are missing from the log', { place, from, to, holes: this.#unlogged });
    this.#loggedAt = now;
    this.#unlogged = 0;
  }
}
