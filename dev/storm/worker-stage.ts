import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import jsonwebtoken from 'jsonwebtoken';
import type { Directory } from '../../neighbours/stand-ins/directory.ts';
import { FaultProxy } from '../fault-proxy.ts';
import { ServerProcess } from '../server-process.ts';
import { startKafka } from '../services/kafka.ts';
import { startMongo } from '../services/mongo.ts';
import { StompClient } from '../stomp-client.ts';
import type { Stage } from './stage.ts';
import { diskFaults, faults, type Part, untilUp } from './troubles.ts';

export interface WorkerStageOptions {
  readonly workers: number;
  readonly directory: Directory;
  readonly env: Readonly<Record<string, string>>;
  /** true: the disk under the SQLite file becomes slow and full. */
  readonly disks: boolean;
  /** true: Kafka and MongoDB are real services. false: all parts are embedded. */
  readonly onServices: boolean;
}

/** Starts one server with several worker processes. Needs `/proc`. */
export async function startWorkerStage(options: WorkerStageOptions): Promise<Stage> {
  const { workers, directory, env, disks, onServices } = options;
  const services = onServices ? await startServices() : { env: {}, stop: async () => {} };
  const secret = randomBytes(48);
  const folder = await mkdtemp(join(tmpdir(), 'chat-workers-'));
  const file = join(folder, 'directory.json');
  await writeFile(file, JSON.stringify(directory));
  const server = await ServerProcess.start({
    id: 'workers',
    env: {
      WORKERS: String(workers),
      DIRECTORY_FILE: file,
      JWT_SECRET: secret.toString('base64'),
      ...services.env,
      ...env,
    },
  });
  const proxy = await FaultProxy.start({ target: server.port });
  const token: Stage['token'] = (userId, seconds = 3_600) =>
    jsonwebtoken.sign({ id: userId, role: 'USER' }, secret, { subject: `user${userId}`, expiresIn: seconds });
  return {
    servers: [server],
    urls: [server.url, `http://127.0.0.1:${proxy.port}`],
    parts: partsOf(server, workers, proxy, disks),
    token,
    client: (_, userId) => StompClient.connect({ url: server.url, token: token(userId), userId }),
    async stop() {
      await proxy.stop();
      await server.dispose();
      await services.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startServices() {
  const [kafka, mongo] = await Promise.all([startKafka(), startMongo()]);
  return {
    env: { KAFKA_BROKERS: kafka.brokers.join(), MONGODB_URL: mongo.url },
    stop: async () => {
      await Promise.all([kafka.stop(), mongo.stop()]);
    },
  };
}

function partsOf(server: ServerProcess, workers: number, proxy: FaultProxy, disks: boolean): Part[] {
  const harm = (name: string): Part['does'] => ({
    kill: async () => {
      // Its parent starts it again.
      signal(await pidOf(server, name), 'SIGKILL');
    },
    freeze: async (lasts) => {
      const pid = await pidOf(server, name);
      signal(pid, 'SIGSTOP');
      await delay(lasts);
      // The same process, although its parent may have ended.
      signal(pid, 'SIGCONT');
    },
  });
  const names = Array.from({ length: workers }, (_, i) => `worker-${i + 1}`);
  const hubDisk = disks ? diskFaults(async () => (await pidOf(server, 'hub')) ?? undefined) : {};
  return [
    ...names.map((name) => ({ name, does: harm(name) })),
    { name: 'hub', does: { ...harm('hub'), ...hubDisk } },
    {
      name: 'parent',
      does: {
        kill: async (lasts) => {
          await server.kill();
          await delay(lasts);
          await untilUp(() => server.restart());
        },
        drain: async (lasts) => {
          await server.stop();
          await delay(lasts);
          await untilUp(() => server.restart());
        },
      },
    },
    { name: 'network', does: faults(proxy) },
  ];
}

/** Does nothing for a process that has ended. */
function signal(pid: number | null, kind: NodeJS.Signals): void {
  if (pid === null) return;
  try {
    process.kill(pid, kind);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** The child process of the server with this part; null if there is none at the moment. */
async function pidOf(server: ServerProcess, name: string): Promise<number | null> {
  const wanted = name === 'hub' ? 'CHAT_HUB=1' : `CHAT_WORKER=${name.slice('worker-'.length)}`;
  for (const pid of await childrenOf(server.pid)) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(wanted)) return pid;
  }
  return null;
}

async function childrenOf(parent: number | undefined): Promise<number[]> {
  if (parent === undefined) return [];
  const threads = await readdir(`/proc/${parent}/task`).catch(() => []);
  const lists = threads.map((thread) => readFile(`/proc/${parent}/task/${thread}/children`, 'utf8').catch(() => ''));
  return (await Promise.all(lists)).flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}
