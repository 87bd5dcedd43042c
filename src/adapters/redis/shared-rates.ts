import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { SharedRateLimits } from '../../application/ports/shared-rates.ts';
import { LibraryRates } from '../support/shared-limits.ts';
import type { TlsOptions } from '../support/tls.ts';
import { createRedisClient, type RedisClient } from './client.ts';
import type { RedisLocation } from './location.ts';

export interface RedisSharedRatesOptions {
  readonly location: RedisLocation;
  /** Authorities for TLS; null or not given: those of Node.js. */
  readonly tls?: TlsOptions | null;
  readonly limits: SharedRateLimits;
  /** Timeout of a call, in milliseconds. Default: 200. */
  readonly timeoutMs?: number;
  /** Text before every key. Default: `chat:`. */
  readonly prefix?: string;
}

/**
 * Counts in Redis, one key for each user and action (`chat:rate-message:42`), which Redis removes
 * at the end of the window. Outages are reported by the member cache, which uses the same Redis.
 */
export class RedisSharedRates extends LibraryRates {
  readonly #redis: RedisClient;

  /** Connects in the background, and again whenever the connection is lost. */
  constructor({ location, tls = null, limits, timeoutMs = 200, prefix = 'chat:' }: RedisSharedRatesOptions) {
    const redis = createRedisClient({ location, tls, timeoutMs, prefix });
    redis.on('error', () => {});
    super(limits, (options) => new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true }));
    this.#redis = redis;
  }

  close(): void {
    this.#redis.disconnect();
  }
}
