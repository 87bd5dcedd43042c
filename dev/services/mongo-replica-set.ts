import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Document, MongoClient } from 'mongodb';
import { FaultProxy } from '../fault-proxy.ts';
import { freePort } from './free-port.ts';
import { LocalProcess } from './local-process.ts';
import { mongod } from './mongo.ts';

const REPLICA_SET = 'rs0';
const MEMBERS = 3;
const PROBE_MS = 2_000;
const PROBE_EVERY_MS = 100;
const READY_MS = 60_000;
const PRIMARY = 1;
const SECONDARY = 2;

export interface ReplicaSetOptions {
  /** Time after which the others elect a new primary. Default: 10 s, as MongoDB's own. */
  readonly electionTimeoutMs?: number;
  /**
   * true: a proxy is in front of each member, for the clients and for the other members. Default:
   * false.
   */
  readonly proxied?: boolean;
}

export interface ReplicaSetMember {
  /** URL of this member alone. */
  readonly url: string;
  /** Undefined while the process does not run. */
  readonly pid: number | undefined;
  /** Sends SIGKILL. The data stay. */
  kill(): Promise<void>;
  /** Sends SIGSTOP. */
  freeze(): Promise<void>;
  /** Sends SIGCONT. */
  thaw(): Promise<void>;
  /** Starts the member again after `kill`. Does not wait for it. */
  start(): Promise<void>;
}

/** A MongoDB replica set of three local processes. */
export interface RunningReplicaSet {
  /** URL with all members. */
  readonly url: string;
  readonly members: readonly ReplicaSetMember[];
  /** In front of the members, in the same order. Empty unless `proxied` is set. */
  readonly proxies: readonly FaultProxy[];
  /** Resolves with the primary as soon as one of the members calls itself so. */
  primary(among?: readonly ReplicaSetMember[]): Promise<ReplicaSetMember>;
  /** Resolves when the member is primary or secondary. */
  untilMember(member: ReplicaSetMember): Promise<void>;
  /** Runs a command of the database `admin` on one member. */
  command(member: ReplicaSetMember, command: Document): Promise<Document>;
  stop(): Promise<void>;
}

/**
 * Starts a MongoDB replica set of three.
 * @throws ServiceUnavailable if no mongod can be had
 */
export async function startMongoReplicaSet({
  electionTimeoutMs = 10_000,
  proxied = false,
}: ReplicaSetOptions = {}): Promise<RunningReplicaSet> {
  const program = await mongod();
  const processes: LocalProcess[] = [];
  const ports: number[] = [];
  const proxies: FaultProxy[] = [];
  for (let i = 0; i < MEMBERS; i += 1) {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-mongodb-'));
    const args = ['--port', String(port), '--replSet', REPLICA_SET, '--bind_ip', '127.0.0.1', '--nounixsocket'];
    const process = new LocalProcess({
      program,
      folder,
      args: [...args, '--dbpath', folder, '--wiredTigerCacheSizeGB', '0.25'],
    });
    await process.start();
    processes.push(process);
    ports.push(port);
    if (proxied) proxies.push(await FaultProxy.start({ target: port }));
  }
  const members = processes.map(
    (process, i): ReplicaSetMember => ({
      url: `mongodb://127.0.0.1:${ports[i]}/?directConnection=true`,
      get pid() {
        return process.pid;
      },
      kill: () => process.kill(),
      freeze: () => process.freeze(),
      thaw: () => process.thaw(),
      start: () => process.start(),
    }),
  );
  const hosts = ports.map((port, i) => `127.0.0.1:${proxies[i]?.port ?? port}`);
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.dispose()));
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  };
  const primary: RunningReplicaSet['primary'] = async (among = members) => {
    let found: ReplicaSetMember | undefined;
    await until(async () => {
      for (const member of among) {
        const hello = await command(member, { hello: 1 }).catch(() => null);
        if (hello?.isWritablePrimary === true) found = member;
      }
      return found !== undefined;
    });
    if (found === undefined) throw new Error('no primary');
    return found;
  };
  try {
    for (const member of members) await until(async () => (await command(member, { ping: 1 })).ok === 1);
    const [first] = members;
    if (first === undefined) throw new Error('no members');
    await command(first, {
      replSetInitiate: {
        _id: REPLICA_SET,
        members: hosts.map((host, i) => ({ _id: i, host })),
        settings: {
          electionTimeoutMillis: electionTimeoutMs,
          heartbeatIntervalMillis: Math.min(2_000, electionTimeoutMs / 4),
        },
      },
    });
    await primary();
    const isWhole = ({ members: states }: Document) =>
      states.every(({ state }: Document) => [PRIMARY, SECONDARY].includes(state));
    await until(async () => isWhole(await command(first, { replSetGetStatus: 1 })));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `mongodb://${hosts.join(',')}/?replicaSet=${REPLICA_SET}`,
    members,
    proxies,
    primary,
    untilMember: (member) =>
      until(async () => {
        const hello = await command(member, { hello: 1 });
        return hello.secondary === true || hello.isWritablePrimary === true;
      }),
    command,
    stop,
  };
}

async function command({ url }: ReplicaSetMember, document: Document): Promise<Document> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: PROBE_MS, socketTimeoutMS: 2 * PROBE_MS });
  try {
    await client.connect();
    return await client.db('admin').command(document);
  } finally {
    await client.close();
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const [isDone, error] = await done().then(
      (answer) => [answer, null] as const,
      (reason: unknown) => [false, reason] as const,
    );
    if (isDone) return;
    if (Date.now() > deadline) throw new Error(`the replica set is not ready after ${READY_MS / 1_000} s: ${error}`);
    await delay(PROBE_EVERY_MS);
  }
}
