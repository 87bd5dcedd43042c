import jsonwebtoken from 'jsonwebtoken';
import { type LoadReport, roomOf, runLoad } from '../../src/bootstrap/cli/load/run-load.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';

export interface UpgradeOptions {
  readonly clients: number;
  readonly rooms: number;
  /** Messages a second meanwhile, in all rooms together. */
  readonly rate: number;
  /** `DRAIN_SECONDS` of each server. */
  readonly drainSeconds: number;
  readonly progress?: (line: string) => void;
}

/** The reconnects while one server stopped and started again. */
export interface UpgradeStep {
  /** Clients of the server when it stopped. */
  readonly clients: number;
  /** Reconnects at the server that got the most. */
  readonly most: number;
  /** Reconnects at one server in the fifth of the drain with the most. */
  readonly mostInOneFifth: number;
}

export interface UpgradeReport {
  readonly load: LoadReport;
  readonly steps: readonly UpgradeStep[];
}

const SERVERS = 3;
const TOKEN_SECONDS = 7_200;
const MAX_SECONDS = 3_600;
/** Clients that are connected a second, so that this does not overload the servers. */
const CONNECT_RATE = 100;

/**
 * Stops and starts three servers, one after the other, while all clients listen and some send. A
 * client whose server drains connects to one of the other two, by chance, and resumes.
 */
export async function upgradeInTurn(options: UpgradeOptions): Promise<UpgradeReport> {
  const { clients, rooms, drainSeconds, progress = () => {} } = options;
  const shape = { connections: clients, rooms, firstUser: 1, firstRoom: 1 };
  const users = Array.from({ length: clients }, (_, i) => i + 1);
  const members = Map.groupBy(users, (user) => roomOf(shape, user - 1));
  const cluster = await startCluster({
    servers: SERVERS,
    directory: {
      users: Object.fromEntries(users.map((id) => [String(id), { name: `user${id}`, image: null }])),
      rooms: Object.fromEntries(members),
      communities: {},
    },
    env: { LIMITS: 'off', DRAIN_SECONDS: String(drainSeconds) },
    progress,
  });
  try {
    return await run(cluster, { ...options, progress }, shape);
  } finally {
    await cluster.stop();
  }
}

async function run(
  cluster: Cluster,
  { rate, drainSeconds, progress }: Required<UpgradeOptions>,
  shape: {
    readonly connections: number;
    readonly rooms: number;
    readonly firstUser: number;
    readonly firstRoom: number;
  },
): Promise<UpgradeReport> {
  /** The server of each user. */
  const at = new Map<number, string>();
  let reconnects: { readonly url: string; readonly fifth: number }[] = [];
  const connected = Promise.withResolvers<void>();
  const over = new AbortController();
  const key = Buffer.from(cluster.secret, 'base64');
  const load = runLoad({
    ...shape,
    ...{ rate, seconds: MAX_SECONDS, size: 100, connectRate: CONNECT_RATE, signal: over.signal },
    urls: cluster.servers.map(({ url }) => url),
    tokenOf: (id) => jsonwebtoken.sign({ id, role: 'USER' }, key, { subject: `user${id}`, expiresIn: TOKEN_SECONDS }),
    onConnected: ({ userId, url, isAgain }) => {
      at.set(userId, url);
      if (isAgain) reconnects.push({ url, fifth: Math.floor(performance.now() / (drainSeconds * 200)) });
    },
    progress: (line) => {
      progress(line);
      if (line.includes('clients are connected')) connected.resolve();
    },
  });
  load.catch(connected.reject);
  await connected.promise;
  const steps: UpgradeStep[] = [];
  for (const server of cluster.servers) {
    const clients = [...at.values()].filter((url) => url === server.url).length;
    reconnects = [];
    await server.restart(drainSeconds * 1_000);
    const step = {
      clients,
      most: mostOf(reconnects.map(({ url }) => url)),
      mostInOneFifth: mostOf(reconnects.map(({ url, fifth }) => `${url} ${fifth}`)),
    };
    progress(`${server.id} was upgraded: ${JSON.stringify(step)}`);
    steps.push(step);
  }
  over.abort();
  return { load: await load, steps };
}

function mostOf(keys: readonly string[]): number {
  const counts = [...Map.groupBy(keys, (key) => key).values()].map(({ length }) => length);
  return Math.max(0, ...counts);
}
