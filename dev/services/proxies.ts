import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { LocalProcess } from './local-process.ts';
import { findProgram } from './programs.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const READY_MS = 15_000;
const PROBE_EVERY_MS = 50;

/** A proxy with its configuration in `deploy/`. */
export interface ProxyPlan {
  readonly name: string;
  /** Its configuration, within `deploy/`. */
  readonly file: string;
  readonly hint: string;
  readonly args: (config: string, folder: string) => readonly string[];
}

export const PROXIES: readonly ProxyPlan[] = [
  {
    name: 'nginx',
    file: 'nginx.conf',
    hint: "Debian's package nginx-light has it",
    args: (config, folder) => ['-c', config, '-p', folder, '-e', 'stderr', '-g', 'daemon off;'],
  },
  {
    name: 'haproxy',
    file: 'proxies/haproxy.cfg',
    hint: "Debian's package haproxy has it",
    args: (config) => ['-db', '-f', config],
  },
  {
    name: 'caddy',
    file: 'proxies/Caddyfile',
    hint: "Debian's package caddy has it",
    args: (config) => ['run', '--config', config, '--adapter', 'caddyfile'],
  },
];

export interface RunningProxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a proxy with its configuration from `deploy/` in front of servers on 127.0.0.1. Only
 * addresses are changed.
 * @param ports of the servers, two of them
 * @throws ServiceUnavailable where the program is not installed
 */
export async function startProxy(plan: ProxyPlan, [one, two]: readonly [number, number]): Promise<RunningProxy> {
  const program = findProgram(plan.name, plan.hint);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), `chat-${plan.name}-`));
  const config = join(folder, 'proxy.conf');
  const text = (await readFile(join(DEPLOY, plan.file), 'utf8'))
    .replaceAll('chat-1:8080', `127.0.0.1:${one}`)
    .replaceAll('chat-2:8080', `127.0.0.1:${two}`)
    .replaceAll(/^.*server (chat-3 )?chat-3:8080.*$/gm, '')
    .replaceAll(' chat-3:8080', '')
    // Where nginx, HAProxy and Caddy listen.
    .replace(/listen 8080;/, `listen 127.0.0.1:${port};`)
    .replace(/bind :8080$/m, `bind 127.0.0.1:${port}`)
    .replace(/^:8080 \{$/m, `http://127.0.0.1:${port} {`)
    // A test run may have few file descriptors.
    .replace('maxconn 16384', 'maxconn 1000')
    // nginx lets operators of private networks in, and the test is in one.
    .replace(/^ *127\.0\.0\.0\/8 1;$/m, '')
    .replace('/tmp/nginx.pid', join(folder, 'nginx.pid'));
  await writeFile(config, text);
  const engine = new LocalProcess({
    program,
    args: plan.args(config, folder),
    folder,
    env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
  });
  await engine.start();
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + READY_MS;
  while (!(await answers(url))) {
    if (engine.ended() === undefined && Date.now() < deadline) {
      await delay(PROBE_EVERY_MS);
      continue;
    }
    const tail = await engine.logTail();
    await engine.dispose();
    throw new Error(`${plan.name} did not start; the end of its log:\n${tail}`);
  }
  return { url, stop: () => engine.dispose() };
}

async function answers(url: string): Promise<boolean> {
  try {
    const { status, body } = await fetch(`${url}/chat-server/health/live`);
    await body?.cancel();
    return status === 200;
  } catch {
    return false;
  }
}
