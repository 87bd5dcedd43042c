import { Cluster, Redis } from 'ioredis';
import { type TlsOptions, tlsConnectOptions } from '../support/tls.ts';
import type { RedisLocation } from './location.ts';

export interface RedisClientOptions {
  readonly location: RedisLocation;
  /** Authorities for TLS; null: those of Node.js. */
  readonly tls: TlsOptions | null;
  /** Timeout of a command, in milliseconds. */
  readonly timeoutMs: number;
  readonly prefix: string;
}

/** The connection of every kind of Redis. It accepts the same commands for all of them. */
export type RedisClient = Redis | Cluster;

const SLOT_REFRESH_MS = 5_000;
const SLOT_TIMEOUT_MS = 1_000;

/**
 * Connects in the background, and again whenever the connection is lost. A command without a
 * connection fails at once.
 *
 * A server that has become a replica answers writes with `READONLY`. The client then connects
 * again, so that the host name or the Sentinels lead to the new primary.
 */
export function createRedisClient(options: RedisClientOptions): RedisClient {
  const { location, prefix } = options;
  switch (location.kind) {
    case 'single':
      return new Redis({ ...nodeOptions(options), ...location.nodes[0], db: location.database, keyPrefix: prefix });
    case 'sentinel':
      return new Redis({
        ...nodeOptions(options),
        sentinels: location.nodes.map((node) => ({ ...node })),
        name: location.master ?? '',
        sentinelRetryStrategy: pause,
        failoverDetector: true,
        enableTLSForSentinelMode: location.isTls,
        ...(location.isTls ? { sentinelTLS: tlsConnectOptions(options.tls ?? {}) } : {}),
        db: location.database,
        keyPrefix: prefix,
      });
    case 'cluster':
      return new Cluster(
        location.nodes.map((node) => ({ ...node })),
        {
          redisOptions: nodeOptions(options),
          keyPrefix: prefix,
          enableOfflineQueue: false,
          clusterRetryStrategy: pause,
          slotsRefreshTimeout: SLOT_TIMEOUT_MS,
          slotsRefreshInterval: SLOT_REFRESH_MS,
          // A certificate has the host's name, so the name must not be replaced by its address.
          dnsLookup: (address, found) => found(null, address),
        },
      );
  }
}

function nodeOptions({ location, tls, timeoutMs }: RedisClientOptions) {
  const { username, password } = location.reveal();
  return {
    // The address of a host decides whether IPv4 or IPv6 is used.
    family: 0,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(location.isTls ? { tls: tlsConnectOptions(tls ?? {}) } : {}),
    commandTimeout: timeoutMs,
    connectTimeout: 1_000,
    // A Redis that hangs would otherwise let unanswered commands pile up.
    socketTimeout: 2_000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
    retryStrategy: pause,
  };
}

/** Milliseconds until the next attempt to connect. */
function pause(attempts: number): number {
  return Math.min(2_000, 50 * 2 ** Math.min(attempts, 6)) * (1 - Math.random() / 2);
}

/**
 * Calls `listener` whenever writes may go to another server than before: after each connection, and
 * in a cluster after each change of its primaries.
 */
export function onNewPrimary(client: RedisClient, listener: () => void): void {
  client.on('ready', listener);
  if (!(client instanceof Cluster)) return;
  const primaries = () =>
    client
      .nodes('master')
      .map(({ options }) => `${options.host}:${options.port}`)
      .sort()
      .join();
  let known = primaries();
  client.on('refresh', () => {
    const now = primaries();
    if (now === known) return;
    known = now;
    listener();
  });
}
