import { Redis } from 'ioredis';

const CONNECT_MS = 2_000;
/** A command without an answer fails after this time. A blocking read is answered within 2 s. */
const COMMAND_MS = 4_000;
/** A connection without an answer is closed after this time. */
const SILENCE_MS = 6_000;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

/**
 * Creates a client that reconnects without limit. A command fails at once while there is no
 * connection, and it is never sent a second time. So its caller knows when a write is not certain.
 * @param name shown by `CLIENT LIST`
 */
export function createConnection(url: string, name: string): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectionName: name,
    connectTimeout: CONNECT_MS,
    commandTimeout: COMMAND_MS,
    socketTimeout: SILENCE_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(MAX_RETRY_MS, MIN_RETRY_MS * attempt),
  });
  // The failed command reports the error. Without a listener Node would end the process.
  redis.on('error', () => {});
  return redis;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
