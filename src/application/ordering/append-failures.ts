import { Refusal } from '../../domain/errors.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';

const LOG_INTERVAL_MS = 60_000;

export interface AppendFailuresParts {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly telemetry: Telemetry;
}

/**
 * Counts and logs appends that failed. A store that is away or full fails each append, so a line is
 * logged at the start of the outage, once a minute while it lasts, and at its end. The level is
 * `error` where the store refuses writes: no retry helps, somebody must act.
 */
export class AppendFailures {
  readonly #parts: AppendFailuresParts;
  #since: number | null = null;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #isLoggedAsRefused = false;
  /** This outage has a line. */
  #isLogged = false;
  #failures = 0;

  constructor(parts: AppendFailuresParts) {
    this.#parts = parts;
  }

  /** The last append failed. */
  get isFailing(): boolean {
    return this.#since !== null;
  }

  failed(place: ConversationKey, error: Error): void {
    const { clock, telemetry } = this.#parts;
    const isRefused = error instanceof Refusal && error.code === 'store-failed';
    telemetry.count('append_failures');
    if (isRefused) telemetry.count('appends_refused');
    const now = clock.monotonic();
    this.#since ??= now;
    this.#failures += 1;
    const isWorse = isRefused && !this.#isLoggedAsRefused;
    if (now - this.#loggedAt < LOG_INTERVAL_MS && !isWorse) return;
    this.#loggedAt = now;
    this.#isLogged = true;
    this.#isLoggedAsRefused = isRefused;
    telemetry.log(isRefused ? 'error' : 'warn', 'an append failed', { place, failures: this.#failures, error });
  }

  /** Batches were stored. */
  worked(): void {
    if (this.#since === null) return;
    const { clock, telemetry } = this.#parts;
    const seconds = Math.round((clock.monotonic() - this.#since) / 1_000);
    if (this.#isLogged) telemetry.log('info', 'appends work again', { failures: this.#failures, seconds });
    this.#isLogged = false;
    this.#since = null;
    this.#failures = 0;
  }
}
