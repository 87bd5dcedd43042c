import { Redis } from 'ioredis';
import type { Logger } from 'pino';

/**
 * Opens a Redis client on which no command waits long. A command fails at once without a
 * connection, and within 500 ms without an answer.
 */
export function connectRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 2_000,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  });
  let last = '';
  redis.on('error', (error: Error) => {
    if (error.message !== last) logger.warn({ err: error }, 'Redis reports an error');
    last = error.message;
  });
  redis.on('ready', () => {
    last = '';
  });
  return redis;
}
