import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';

/** A server of Redis, or a Sentinel. IPv6 addresses are without brackets. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** How Redis is reached. */
export interface RedisAddress {
  /** One server, the Sentinels that know it, or some nodes of a Redis Cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** At least one. */
  readonly nodes: readonly RedisNode[];
  /** Name of the servers at the Sentinels; empty for the other kinds. */
  readonly master: string;
  readonly database: number;
  readonly hasTls: boolean;
  readonly username?: string;
  readonly password?: string;
}

export type RedisClient = Redis | Cluster;

const REDIS_PORT = '6379';
const SENTINEL_PORT = '26379';
const URL_PARTS =
  /^redis(?<tls>s?)(?<sentinel>-sentinel)?:\/\/(?:(?<user>[^@:/\s]*)(?::(?<password>[^@/\s]*))?@)?(?<hosts>[^@/?\s]+)(?:\/(?<path>[^?\s]*))?$/;
const HOST = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/i;
const CERTIFICATE = /certificate|CERT_|altnames/i;

/**
 * Reads `redis://host:port/database`, `redis://h1:port,h2:port` (a Redis Cluster) or
 * `redis-sentinel://h1:port,h2:port/name/database`. `rediss` stands for TLS. Returns null for
 * another text.
 */
export function parseRedisAddress(url: string): RedisAddress | null {
  const { tls, sentinel, user = '', password, hosts = '', path = '' } = URL_PARTS.exec(url)?.groups ?? {};
  if (hosts === '') return null;
  const isSentinel = sentinel !== undefined;
  const nodes = hosts.split(',').map((host) => {
    const found = HOST.exec(host)?.groups;
    if (found === undefined) return null;
    return {
      host: found.v6 ?? found.name ?? '',
      port: Number(found.port ?? (isSentinel ? SENTINEL_PORT : REDIS_PORT)),
    };
  });
  const [master = '', database = '', ...rest] = isSentinel ? path.split('/') : ['', ...path.split('/')];
  const known = nodes.filter((node) => node !== null && node.port > 0 && node.port < 65_536) as RedisNode[];
  const kind = isSentinel ? 'sentinel' : nodes.length > 1 ? 'cluster' : 'single';
  const isValid = known.length === nodes.length && rest.length === 0 && /^\d{0,5}$/.test(database);
  // A cluster has one database only.
  if (!isValid || (isSentinel && master === '') || (kind === 'cluster' && Number(database) > 0)) return null;
  try {
    return {
      kind,
      nodes: known,
      master,
      database: Number(database),
      hasTls: tls !== '',
      ...(user === '' ? {} : { username: decodeURIComponent(user) }),
      ...(password === undefined ? {} : { password: decodeURIComponent(password) }),
    };
  } catch {
    return null;
  }
}

/**
 * Opens a Redis client on which no command waits long. A command fails at once without a
 * connection, and within 500 ms without an answer. After a failover, it finds the new primary.
 * @param ca authorities for TLS, as PEM text. Default: those of Node.js
 */
export function connectRedis(address: RedisAddress, logger: Logger, ca?: string): RedisClient {
  const { kind, nodes, master, database, hasTls, username, password } = address;
  const pause = (times: number) => Math.min(100 * times, 2_000);
  const tls = ca === undefined ? {} : { ca };
  const common = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(hasTls ? { tls } : {}),
    family: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 2_000,
    // A primary that has become a replica answers so. The next connection leads to the new one.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
    retryStrategy: pause,
  };
  const list = nodes.map((node) => ({ ...node }));
  const redis =
    kind === 'cluster'
      ? new Cluster(list, {
          redisOptions: common,
          enableOfflineQueue: false,
          clusterRetryStrategy: pause,
          slotsRefreshTimeout: 1_000,
          slotsRefreshInterval: 5_000,
          // A certificate has the host's name, so the name must not be replaced by its address.
          dnsLookup: (host, found) => found(null, host),
        })
      : kind === 'sentinel'
        ? new Redis({
            ...common,
            sentinels: list,
            name: master,
            db: database,
            sentinelRetryStrategy: pause,
            failoverDetector: true,
            enableTLSForSentinelMode: hasTls,
            ...(hasTls ? { sentinelTLS: tls } : {}),
          })
        : new Redis({ ...common, ...nodes[0], db: database });
  let last = '';
  redis.on('error', (error: Error) => {
    const variable = CERTIFICATE.test(error.message) ? 'REDIS_TLS_CA' : 'REDIS_URL';
    if (error.message !== last) logger.warn({ err: error, variable }, 'Redis reports an error');
    last = error.message;
  });
  redis.on('ready', () => {
    last = '';
  });
  return redis;
}
