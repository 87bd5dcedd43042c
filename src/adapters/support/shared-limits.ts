import { RateLimiterRes } from 'rate-limiter-flexible';
import type { RatedAction, SharedRateLimits, SharedRates } from '../../application/ports/shared-rates.ts';
import type { UserId } from '../../domain/ids.ts';

/**
 * A limiter of the library, wherever it counts. It rejects with a `RateLimiterRes` over the limit.
 */
export interface Limiter {
  consume(key: number): Promise<unknown>;
}

export interface LimiterOptions {
  readonly keyPrefix: string;
  readonly points: number;
  /** Seconds. */
  readonly duration: number;
}

/** Counts with one limiter for each action. */
export class LibraryRates implements SharedRates {
  readonly #limiters: { readonly [Action in RatedAction]: Limiter };

  constructor(limits: SharedRateLimits, create: (options: LimiterOptions) => Limiter) {
    const limiter = (action: RatedAction): Limiter => {
      const { actions, seconds } = limits[action];
      return create({ keyPrefix: `rate-${action}`, points: actions, duration: seconds });
    };
    this.#limiters = { message: limiter('message'), upload: limiter('upload') };
  }

  async take(action: RatedAction, userId: UserId): Promise<number | null> {
    try {
      await this.#limiters[action].consume(userId);
      return 0;
    } catch (error) {
      return error instanceof RateLimiterRes ? Math.max(1, error.msBeforeNext) : null;
    }
  }
}
