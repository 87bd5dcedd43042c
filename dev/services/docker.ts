import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ServiceEngine } from './service.ts';

const PING_TIMEOUT_MS = 1_500;
const STARTUP_TIMEOUT_MS = 180_000;
const STOP_SECONDS = 10;

export interface ContainerPlan {
  readonly image: string;
  /**
   * The port is the same inside and outside. So a restart keeps it, and the server can advertise
   * it.
   */
  readonly port: number;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Resolves with true if a Docker engine answers on its socket or on DOCKER_HOST within 1.5 s. */
export async function dockerAnswers(): Promise<boolean> {
  const host = process.env.DOCKER_HOST;
  if (host?.startsWith('tcp://')) return ping({ host: new URL(host).hostname, port: Number(new URL(host).port) });
  const sockets = host?.startsWith('unix://')
    ? [host.slice('unix://'.length)]
    : [
        '/var/run/docker.sock',
        join(process.env.XDG_RUNTIME_DIR ?? '/run', 'docker.sock'),
        join(homedir(), '.docker/run/docker.sock'),
      ];
  for (const socketPath of sockets) if (await ping({ socketPath })) return true;
  return false;
}

function ping(where: { socketPath: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ ...where, path: '/_ping', timeout: PING_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
    asked.end();
  });
}

/** Starts the container at once: only a started one has an id, by which it is killed or paused. */
export async function startContainer(plan: ContainerPlan): Promise<ServiceEngine> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const generic = new GenericContainer(plan.image)
    .withExposedPorts({ container: plan.port, host: plan.port })
    .withEnvironment({ ...plan.env })
    .withStartupTimeout(STARTUP_TIMEOUT_MS);
  const started = await (plan.command === undefined ? generic : generic.withCommand([...plan.command])).start();
  const runtime = await getContainerRuntimeClient();
  const container = runtime.container.getById(started.getId());
  let ended: string | undefined;

  return {
    source: 'docker',
    pid: undefined,
    async start() {
      if (ended === undefined) return;
      await container.start();
      ended = undefined;
    },
    async terminate() {
      await container.unpause().catch(() => {});
      await container.stop({ t: STOP_SECONDS }).catch(() => {});
      ended = 'stopped';
    },
    async kill() {
      // A paused container refuses signals.
      await container.unpause().catch(() => {});
      await container.kill().catch(() => {});
      ended = 'killed';
    },
    async freeze() {
      await container.pause();
    },
    async thaw() {
      await container.unpause();
    },
    ended: () => ended,
    async logTail() {
      const logs = await container.logs({ stdout: true, stderr: true, tail: 40, follow: false });
      return logs.toString('utf8').trim();
    },
    async dispose() {
      await container.remove({ force: true, v: true }).catch(() => {});
      ended = 'removed';
    },
  };
}
