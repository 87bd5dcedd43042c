import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import jsonwebtoken from 'jsonwebtoken';
import type { RunningPresence } from '../../neighbours/presence/server.ts';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';
import type { RunningStandIns } from '../../neighbours/stand-ins/server.ts';
import { RECORD_STREAMS } from '../../src/adapters/records/record-stream.ts';
import { ServerProcess, type ServerProcessOptions } from '../server-process.ts';
import { makeCertificates } from '../services/certificates.ts';
import { freePorts } from '../services/free-port.ts';
import { isSecured } from '../services/secured.ts';
import { StompClient, type StompClientOptions } from '../stomp-client.ts';
import {
  type Neighbour,
  type NeighbourProxies,
  neighbourVariables,
  startNeighbours,
  startProxies,
} from './neighbours.ts';
import { type ClusterServices, ownServices, type StackOptions, sharedServices } from './services.ts';

export interface ClusterOptions {
  /** Number of chat servers. Default: 3. */
  readonly servers?: number;
  /** Variables of every chat server. They override the cluster's own. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * false (default): the cluster uses Kafka, MongoDB and Redis of the test run, which must not be
   * harmed. true: it has its own, which a test may kill, freeze and restart.
   */
  readonly own?: boolean;
  /** Sizes of the cluster's own services. Default: one of each. */
  readonly stack?: StackOptions;
  /**
   * true: the clock of each server can be shifted while it runs, by `shiftClock`. Default: false.
   */
  readonly clocks?: boolean;
  /**
   * true: a FaultProxy is in front of each neighbour service, and of each of several own Kafka
   * brokers and MongoDB members. Default: false.
   */
  readonly proxied?: boolean;
  /** Default: the demo world. */
  readonly directory?: Directory;
  /** Default: free ports. */
  readonly ports?: { readonly servers?: readonly number[]; readonly presence?: number; readonly standIns?: number };
  /** Lease of presence. Default: the default of the presence service. */
  readonly leaseMs?: number;
  /** Called with a line for each part that started. */
  readonly progress?: (line: string) => void;
}

export interface Cluster {
  readonly servers: readonly ServerProcess[];
  readonly kafka: ClusterServices['kafka'];
  readonly mongo: ClusterServices['mongo'];
  readonly redis: ClusterServices['redis'];
  readonly members: ClusterServices['members'];
  readonly elections: ClusterServices['elections'];
  readonly networks: ClusterServices['networks'];
  readonly redisProxy: ClusterServices['redisProxy'];
  /** Whether `shiftClock` has an effect. */
  readonly clocks: boolean;
  /** Sets the clock of server `index` this far ahead of the system's. Needs `clocks`. */
  shiftClock(index: number, ms: number): Promise<void>;
  readonly presence: Neighbour<RunningPresence>;
  readonly standIns: Neighbour<RunningStandIns>;
  /** null unless `proxied` is set. */
  readonly proxies: NeighbourProxies | null;
  /** Key of the tokens, in Base64. */
  readonly secret: string;
  /** Variables of every server of this cluster. */
  readonly env: Readonly<Record<string, string>>;
  /** Returns the name of a topic or group of this cluster: `topic('DIRECT')`. */
  topic(kind: (typeof RECORD_STREAMS)[number]): string;
  token(userId: number, seconds?: number): string;
  /**
   * Adds a server. `stop` ends it too.
   * @throws Error with the end of its log if it does not start
   */
  add(options?: Omit<ServerProcessOptions, 'dataDir'>): Promise<ServerProcess>;
  /** Connects a STOMP client of that user to server `index`. */
  client(index: number, userId: number, options?: Partial<StompClientOptions>): Promise<StompClient>;
  /** Ends all parts and removes their data. Idempotent. */
  stop(): Promise<void>;
}

const TOKEN_SECONDS = 3_600;
const CLOCK_SHIFT = new URL('./clock-shift.mjs', import.meta.url).href;

/**
 * Starts a whole system: chat servers as processes, on real Kafka, MongoDB and Redis. Presence and
 * the stand-ins run in this process.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { servers: count = 3, own = false, progress = () => {} } = options;
  const name = `cluster-${randomBytes(5).toString('hex')}`;
  const topic = (kind: string) => `${name}-${kind.toLowerCase()}`;
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= (async () => {
      for (const one of undo.reverse()) await one();
    })();
    return stopping;
  };

  try {
    const services = await (own
      ? ownServices(name, progress, options.stack, options.proxied)
      : sharedServices(name, RECORD_STREAMS.map(topic)));
    undo.push(services.stop);
    const folder = await mkdtemp(join(tmpdir(), 'chat-cluster-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const ports = options.ports?.servers ?? (await freePorts(count));
    const serviceToken = options.env?.SERVICE_TOKEN;
    const presenceTls = isSecured ? await makeCertificates(folder) : undefined;
    const neighbours = await startNeighbours({
      redisUrl: services.presenceRedisUrl,
      chatUrls: ports.map((port) => `http://127.0.0.1:${port}`),
      ...(presenceTls === undefined ? {} : { presenceTls }),
      ...(serviceToken === undefined ? {} : { serviceToken }),
      ...(options.directory === undefined ? {} : { directory: options.directory }),
      ...(options.ports?.presence === undefined ? {} : { presencePort: options.ports.presence }),
      ...(options.ports?.standIns === undefined ? {} : { standInPort: options.ports.standIns }),
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    });
    undo.push(neighbours.stop);
    const { presence, standIns } = neighbours;
    progress(`presence listens on ${presence.now.url}, the stand-ins on http://127.0.0.1:${standIns.port}`);
    const proxies = options.proxied === true ? await startProxies(neighbours) : null;
    if (proxies !== null) undo.push(() => Promise.all(Object.values(proxies).map((proxy) => proxy.stop())));

    const secret = options.env?.JWT_SECRET ?? randomBytes(48).toString('base64');
    const env: Record<string, string> = {
      JWT_SECRET: secret,
      ...services.variables,
      FILES_URL: pathToFileURL(join(folder, 'files')).href,
      ...neighbourVariables(neighbours, proxies),
    };
    for (const kind of RECORD_STREAMS) {
      env[`KAFKA_TOPIC_${kind}`] = topic(kind);
      env[`KAFKA_GROUP_${kind}`] = topic(kind);
    }
    Object.assign(env, options.env);

    const clockFile = (index: number) => join(folder, `clock-${index}`);
    const shiftClock = (index: number, ms: number) => writeFile(clockFile(index), String(ms));
    const shifted = (index: number) => ({
      nodeArgs: ['--import', CLOCK_SHIFT],
      env: { CLOCK_SHIFT_FILE: clockFile(index) },
    });
    const started: ServerProcess[] = [];
    undo.push(() => Promise.all(started.map((server) => server.dispose())));
    const add: Cluster['add'] = async (own = {}) => {
      const server = await ServerProcess.start({
        ...own,
        id: own.id ?? `chat-${started.length + 1}`,
        env: { ...env, ...own.env },
      });
      started.push(server);
      return server;
    };
    const starting = ports.map(async (port, index) => {
      const server = await add({ id: `chat-${index + 1}`, port, ...(options.clocks === true ? shifted(index) : {}) });
      progress(`${server.id} serves on ${server.url}`);
      return server;
    });
    // Waits for all of them: none may start after the others were ended.
    await Promise.allSettled(starting);
    const servers = await Promise.all(starting);

    const token = (userId: number, seconds = TOKEN_SECONDS) =>
      jsonwebtoken.sign({ id: userId, role: 'USER' }, Buffer.from(secret, 'base64'), {
        subject: `user${userId}`,
        expiresIn: seconds,
      });
    const client: Cluster['client'] = (index, userId, more = {}) => {
      const url = servers[index]?.url;
      if (url === undefined) throw new Error(`there is no server ${index}`);
      return StompClient.connect({ url, token: token(userId), userId, ...more });
    };
    const { kafka, mongo, redis, members, elections, networks, redisProxy } = services;
    const clocks = options.clocks === true;
    const parts = { kafka, mongo, redis, members, elections, networks, redisProxy, shiftClock, clocks };
    return { ...parts, servers, presence, standIns, proxies, secret, env, topic, token, add, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
