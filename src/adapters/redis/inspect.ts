import type { TlsOptions } from '../support/tls.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { createRedisClient } from './client.ts';
import type { RedisLocation } from './location.ts';

const ANSWER_MS = 4_000;
const COMMAND_MS = 2_000;

/**
 * Connects to Redis and reads one key of the list cache. Changes nothing.
 * @throws Error with the reason of the last failed attempt
 */
export async function inspectRedis(options: {
  readonly location: RedisLocation;
  readonly tls: TlsOptions | null;
}): Promise<void> {
  const client = createRedisClient({ ...options, timeoutMs: COMMAND_MS, prefix: '' });
  let last: Error | null = null;
  try {
    const ready = new Promise<void>((resolve) => {
      client.on('error', (error: Error) => {
        last = reasonOf(error);
      });
      client.once('ready', resolve);
    });
    await withTimeout(ANSWER_MS, ready, () => last ?? new Error(`no answer within ${ANSWER_MS / 1_000} s`));
    await client.exists('R0');
  } finally {
    client.disconnect();
  }
}

/** The client of a Redis Cluster names the error of its last node in a field. */
function reasonOf(error: Error): Error {
  return 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
}
