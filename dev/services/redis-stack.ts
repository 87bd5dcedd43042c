import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { Redis } from 'ioredis';
import { type Certificates, makeCertificates } from './certificates.ts';
import { freePort, freePorts } from './free-port.ts';
import { launch } from './launch.ts';
import { redisServer } from './redis.ts';
import type { RunningService } from './service.ts';

/** The fetched Redis has no TLS. Sentinel, Cluster and TLS run from packages only. */
const READY_MS = 30_000;
const MASTER = 'mymaster';
/** Redis gives a failover up after 5 s, if a node did not answer in time. */
const FAILOVER_MS = 6_000;
const SLOTS = 16_384;
const BUS_OFFSET = 10_000;
const LOWEST_OUTGOING = 32_768;

export interface RunningRedisGroup {
  /** URL in the form of `REDIS_URL`. */
  readonly url: string;
  /** The servers with data. For a Sentinel group: the first primary, then its replica. */
  readonly members: readonly RunningService[];
  /** Ends all processes. Idempotent. */
  stop(): Promise<void>;
}

export interface RunningSentinel extends RunningRedisGroup {
  readonly sentinels: readonly RunningService[];
  /** Resolves with the index of the primary, according to the first Sentinel. */
  primary(): Promise<number>;
  /** Makes the replica the primary, and resolves when the Sentinels agree. */
  failover(): Promise<void>;
}

/**
 * Starts a primary, a replica and Sentinels.
 * @throws ServiceUnavailable
 */
export async function startRedisSentinel(options: { readonly sentinels?: number } = {}): Promise<RunningSentinel> {
  const count = options.sentinels ?? 3;
  const ports = await freePorts(2 + count);
  const [primaryPort = 0, replicaPort = 0, ...sentinelPorts] = ports;
  const running: RunningService[] = [];
  const stop = () => stopAll(running);
  try {
    const first = await startNode(primaryPort, []);
    running.push(first);
    const second = await startNode(replicaPort, ['--replicaof', '127.0.0.1', String(primaryPort)]);
    running.push(second);
    await until('the replica follows', async () =>
      (await ask(primaryPort, 'INFO', 'replication')).includes('state=online'),
    );
    const quorum = Math.floor(count / 2) + 1;
    const sentinels: RunningService[] = [];
    for (const port of sentinelPorts) {
      const sentinel = await startSentinel(port, primaryPort, quorum);
      running.push(sentinel);
      sentinels.push(sentinel);
    }
    const [asked = 0] = sentinelPorts;
    await until('the Sentinels know each other and the replica', async () => {
      const state = await ask(asked, 'SENTINEL', 'MASTERS');
      return state.includes(`num-slaves,1,`) && state.includes(`num-other-sentinels,${count - 1},`);
    });
    const primary = async () => {
      const address = await ask(asked, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER);
      return address.endsWith(`,${primaryPort}`) ? 0 : 1;
    };
    return {
      url: `redis-sentinel://${sentinelPorts.map((port) => `127.0.0.1:${port}`).join()}/${MASTER}`,
      members: [first, second],
      sentinels,
      primary,
      failover: async () => {
        const before = await primary();
        await ask(asked, 'SENTINEL', 'FAILOVER', MASTER);
        await until('the other server is the primary', async () => (await primary()) !== before);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface RunningRedisCluster extends RunningRedisGroup {
  /** Makes the replica of the first primary a primary, without a loss. Resolves with its port. */
  failover(): Promise<number>;
}

/**
 * Starts a Redis Cluster of three primaries, the first of them with a replica.
 * @throws ServiceUnavailable
 */
export async function startRedisCluster(): Promise<RunningRedisCluster> {
  const [replica = 0, ...ports] = await clusterPorts(4);
  const running: RunningService[] = [];
  const stop = () => stopAll(running);
  try {
    for (const port of [...ports, replica]) {
      running.push(await startNode(port, ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']));
    }
    const [first = 0, ...others] = ports;
    for (const [i, port] of ports.entries()) {
      const [from, to] = [Math.ceil((i * SLOTS) / 3), Math.ceil(((i + 1) * SLOTS) / 3)];
      await ask(port, 'CLUSTER', 'ADDSLOTS', ...Array.from({ length: to - from }, (_, k) => String(from + k)));
    }
    for (const port of [...others, replica]) await ask(first, 'CLUSTER', 'MEET', '127.0.0.1', String(port));
    await until('all nodes serve all slots', async () => {
      const states = await Promise.all(ports.map((port) => ask(port, 'CLUSTER', 'INFO')));
      return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:4'));
    });
    const id = await ask(first, 'CLUSTER', 'MYID');
    await until('the replica knows its primary', async () => (await ask(replica, 'CLUSTER', 'NODES')).includes(id));
    await ask(replica, 'CLUSTER', 'REPLICATE', id);
    const state = () => ask(replica, 'INFO', 'replication');
    await until('the replica follows', async () => (await state()).includes('master_link_status:up'));
    return {
      failover: async () => {
        let askedAt = Number.NEGATIVE_INFINITY;
        await until('the replica is a primary', async () => {
          if ((await state()).includes('role:master')) return true;
          if (performance.now() - askedAt > FAILOVER_MS) {
            askedAt = performance.now();
            await ask(replica, 'CLUSTER', 'FAILOVER');
          }
          return false;
        });
        return replica;
      },
      url: `redis://${ports.map((port) => `127.0.0.1:${port}`).join()}`,
      members: running,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface RunningSecureRedis extends RunningService {
  /** `rediss://:PASSWORD@127.0.0.1:PORT` */
  readonly url: string;
  /** `redis://:PASSWORD@127.0.0.1:PORT`, the port behind the TLS endpoint. */
  readonly plainUrl: string;
  readonly certificates: Certificates;
}

/**
 * Starts a Redis with a password behind a TLS endpoint of this process.
 * @throws ServiceUnavailable
 */
export async function startSecureRedis(options: {
  readonly password: string;
  /** Certificate that the endpoint shows. Default: server. */
  readonly certificate?: 'server' | 'expired' | 'wrongName';
}): Promise<RunningSecureRedis> {
  const { password, certificate = 'server' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-redis-tls-'));
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const one of undo.splice(0).reverse()) await one();
  };
  try {
    const certificates = await makeCertificates(folder);
    const plainPort = await freePort();
    const running = await startNode(plainPort, ['--requirepass', password], password);
    undo.push(() => running.stop());
    const { cert, key } = certificates[certificate];
    const sockets = new Set<Socket>();
    const server = createServer({ cert, key }, (client) => {
      const redis = connect(plainPort, '127.0.0.1');
      for (const [one, other] of [
        [client, redis],
        [redis, client],
      ] as const) {
        sockets.add(one);
        one.on('error', () => other.destroy());
        one.once('close', () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    const port = await freePort();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    undo.push(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    );
    const login = `:${encodeURIComponent(password)}@127.0.0.1`;
    return {
      source: running.source,
      get pid() {
        return running.pid;
      },
      kill: () => running.kill(),
      freeze: () => running.freeze(),
      thaw: () => running.thaw(),
      restart: () => running.restart(),
      logTail: () => running.logTail(),
      url: `rediss://${login}:${port}`,
      plainUrl: `redis://${login}:${plainPort}`,
      certificates,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNode(port: number, args: readonly string[], password?: string): Promise<RunningService> {
  const { running } = await launch(async () => ({
    name: 'Redis',
    local: async (folder) => ({
      program: await redisServer(),
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
        ...['--appendonly', 'yes', '--save', '', ...args],
      ],
    }),
    probe: async () => {
      const client = clientOf(port, password);
      try {
        await client.connect();
        await client.ping();
      } finally {
        client.disconnect();
      }
    },
  }));
  return running;
}

async function startSentinel(port: number, primaryPort: number, quorum: number): Promise<RunningService> {
  const { running } = await launch(async () => ({
    name: 'Redis',
    local: async (folder) => {
      // A Sentinel writes its state into this file.
      const file = join(folder, 'sentinel.conf');
      await writeFile(
        file,
        [
          `port ${port}\nbind 127.0.0.1\ndir ${folder}`,
          `sentinel monitor ${MASTER} 127.0.0.1 ${primaryPort} ${quorum}`,
          `sentinel down-after-milliseconds ${MASTER} 1000\nsentinel failover-timeout ${MASTER} 3000\n`,
        ].join('\n'),
      );
      return { program: await redisServer(), args: [file, '--sentinel'] };
    },
    probe: async () => {
      await ask(port, 'PING');
    },
  }));
  return running;
}

/** Sends one command and resolves with the answer as text, lists with commas. */
async function ask(port: number, command: string, ...args: readonly string[]): Promise<string> {
  const client = clientOf(port);
  try {
    await client.connect();
    return String(await client.call(command, [...args]));
  } finally {
    client.disconnect();
  }
}

function clientOf(port: number, password?: string): Redis {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: 2_000,
    ...(password === undefined ? {} : { password }),
  });
  client.on('error', () => {});
  return client;
}

/** Free ports whose bus port, 10,000 higher, is below the outgoing ports of systems too. */
async function clusterPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = await freePort();
    if (port + BUS_OFFSET < LOWEST_OUTGOING) ports.add(port);
  }
  return [...ports];
}

async function stopAll(running: RunningService[]): Promise<void> {
  await Promise.all(running.splice(0).map((one) => one.stop()));
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!(await done().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`Redis: not within ${READY_MS / 1_000} s: ${what}`);
    await delay(100);
  }
}
