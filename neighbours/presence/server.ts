import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { Cluster } from 'ioredis';
import { type Logger, pino } from 'pino';
import { Callbacks } from './callbacks.ts';
import { BadRequest, parseRequest } from './codec.ts';
import { Leases } from './lease.ts';
import { Lines, TooLong } from './lines.ts';
import { connectRedis, parseRedisAddress, type RedisClient } from './redis-client.ts';
import { ResilientPresence } from './resilient.ts';
import { RedisStore } from './store-redis.ts';

export interface PresenceOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Absent: connections are without TLS. PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** In a form of `parseRedisAddress`. Absent: all data is kept in memory. */
  readonly redisUrl?: string;
  /** Authorities for a Redis with TLS, as PEM text. Default: those of Node.js. */
  readonly redisCa?: string;
  /** Prefix of the keys in Redis; default `presence:`, and `{presence}:` in a Redis Cluster. */
  readonly redisPrefix?: string;
  /** Base URLs of the chat servers to call back. */
  readonly chatUrls?: readonly string[];
  readonly serviceToken?: string;
  /**
   * Time for which sessions outlive the last connection of their chat server, in milliseconds;
   * default 60 s.
   */
  readonly leaseMs?: number;
  /**
   * Limit for a request line, in bytes; default 1 MiB, which is enough for tens of thousands of
   * `ids`.
   */
  readonly lineBytes?: number;
  readonly logger?: Logger;
}

export interface RunningPresence {
  readonly port: number;
  /** The value for `PRESENCE_URL`, `tcp:` or `tls:`. */
  readonly url: string;
  /** False while Redis is configured and away. */
  readonly complete: () => boolean;
  /** Answers pending requests, closes the connections and makes the pending calls. Idempotent. */
  readonly stop: () => Promise<void>;
}

const MAX_CONNECTIONS = 4_096;
const HANDSHAKE_MS = 10_000;

/**
 * Starts the presence service. Resolves when it accepts connections, whether or not Redis answers.
 */
export async function startPresence(options: PresenceOptions = {}): Promise<RunningPresence> {
  const { host = '127.0.0.1', port = 0, leaseMs = 60_000, lineBytes = 1_048_576 } = options;
  const logger = options.logger ?? pino({ level: 'silent' });
  const redis = options.redisUrl === undefined ? null : openRedis(options.redisUrl, options.redisCa, logger);
  const leases = new Leases(randomUUID());
  const presence = new ResilientPresence({
    leaseMs,
    logger,
    owners: () => leases.owners(),
    ...(redis === null ? {} : { shared: new RedisStore(redis, options.redisPrefix ?? prefixFor(redis)) }),
  });
  const callbacks = new Callbacks({
    urls: options.chatUrls ?? [],
    logger,
    ...(options.serviceToken === undefined ? {} : { token: options.serviceToken }),
  });

  const connections = new Map<Socket, { busy: boolean; served: Promise<void> }>();
  let stopping: Promise<void> | undefined;
  const server = openServer(options.tls, logger, (socket) => {
    const state = { busy: false, served: Promise.resolve() };
    connections.set(socket, state);
    state.served = serve(socket, state).finally(() => connections.delete(socket));
  });
  // With TLS, these are the connections below, also those in a handshake.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  async function serve(socket: Socket, state: { busy: boolean }): Promise<void> {
    const owner = leases.open(socket.remoteAddress ?? '');
    socket.on('error', (error) => logger.debug({ err: error, owner }, 'connection error'));
    try {
      const lines = new Lines(lineBytes);
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        state.busy = true;
        for (const line of lines.push(chunk)) await send(socket, await answer(line, owner));
        state.busy = false;
        if (stopping !== undefined) break;
      }
    } catch (error) {
      logger.info({ err: error, owner }, 'connection closed because of an error');
      if (error instanceof TooLong) socket.write(`error: ${error.message}\r\n`);
    } finally {
      leases.close(owner);
      socket.destroySoon();
      setTimeout(() => socket.destroy(), 1_000).unref();
    }
  }

  async function answer(line: string, owner: string): Promise<string> {
    try {
      const { reply, departures } = await presence.handle(parseRequest(line), owner);
      callbacks.notify(departures);
      return reply;
    } catch (error) {
      if (error instanceof BadRequest) return `error: ${error.message}`;
      logger.error({ err: error }, 'a request failed');
      return 'error: the request failed, try again';
    }
  }

  async function upkeep(): Promise<void> {
    const swept = await presence.tick();
    if (swept.changed.size === 0) return;
    logger.info({ users: swept.changed.size }, 'sessions ended');
    callbacks.notify(swept.departures);
  }

  async function stop(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    for (const [socket, { busy }] of connections) if (!busy) socket.destroySoon();
    const deadline = setTimeout(() => {
      for (const socket of [...connections.keys(), ...sockets]) socket.destroy();
    }, 1_000);
    await Promise.all([closed, ...[...connections.values()].map(({ served }) => served)]);
    clearTimeout(deadline);
    await ticking();
    await callbacks.stop();
    redis?.disconnect();
  }

  if (redis !== null) await Promise.race([once(redis, 'ready'), sleep(1_000)]).catch(() => undefined);
  await upkeep();
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    redis?.disconnect();
    throw error;
  });
  server.on('error', (error) => logger.error({ err: error }, 'a connection was not accepted'));
  const ticking = every(Math.min(1_000, Math.max(20, leaseMs / 4)), upkeep, (error) =>
    logger.error({ err: error }, 'upkeep failed'),
  );
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  logger.info(
    { host, port: bound, tls: options.tls !== undefined, redis: redis !== null, leaseMs },
    'presence listens',
  );
  return {
    port: bound,
    url: `${options.tls === undefined ? 'tcp' : 'tls'}://${host}:${bound}`,
    complete: () => presence.complete,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function openServer(tls: PresenceOptions['tls'], logger: Logger, accept: (socket: Socket) => void): Server {
  const sockets = { allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true };
  const server =
    tls === undefined
      ? createServer(sockets, accept)
      : createTlsServer({ ...sockets, ...tls, handshakeTimeout: HANDSHAKE_MS }, accept);
  server.on('tlsClientError', (error: Error) => logger.info({ err: error }, 'a TLS handshake failed'));
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

function openRedis(url: string, ca: string | undefined, logger: Logger): RedisClient {
  const address = parseRedisAddress(url);
  if (address === null) throw new Error('REDIS_URL is not the URL of a Redis');
  return connectRedis(address, logger, ca);
}

/** In a Redis Cluster, all keys must be on one node. The braces choose it. */
function prefixFor(redis: RedisClient): string {
  return redis instanceof Cluster ? '{presence}:' : 'presence:';
}

/**
 * Repeats work with pauses of `ms` milliseconds. Returns a function that stops it and waits for
 * work in progress.
 */
function every(ms: number, work: () => Promise<void>, failed: (error: unknown) => void): () => Promise<void> {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (!stopped.signal.aborted) await work().catch(failed);
    }
  })();
  return () => {
    stopped.abort();
    return running;
  };
}

/**
 * Sends a reply and waits until the peer reads. A peer that never reads costs no more than the
 * buffer of its socket.
 */
async function send(socket: Socket, reply: string): Promise<void> {
  if (socket.destroyed || socket.writableEnded) return;
  if (socket.write(`${reply}\r\n`)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
