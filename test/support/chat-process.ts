import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './services/free-port.ts';

const MAIN = fileURLToPath(new URL('../../src/bootstrap/main.ts', import.meta.url));
const STARTED_MS = 30_000;
const STOPPED_MS = 15_000;

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** A whole chat server as a process of its own, on embedded parts, with a data folder that outlives its restarts. */
export class ChatProcess {
  readonly url: string;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #said = '';

  private constructor(port: number, folder: string, env: Readonly<Record<string, string>>) {
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = folder;
    // Nothing of the surroundings: what is configured there is not what is tested here.
    this.#env = { PATH: process.env.PATH ?? '', PORT: String(port), DATA_DIR: folder, ...env };
  }

  /** @param env its variables, PORT and DATA_DIR aside */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<ChatProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-process-'));
    const server = new ChatProcess(await freePort(), folder, env);
    await server.start();
    return server;
  }

  /** Resolves when it serves. @throws Error with what it said, where it ends instead */
  async start(): Promise<void> {
    this.#said = '';
    const child = spawn(process.execPath, [MAIN], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    living.add(child);
    child.once('exit', () => living.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-20_000);
      });
    }
    for (const began = Date.now(); !(await this.#isReady()); await delay(50)) {
      if (child.exitCode === null && child.signalCode === null && Date.now() - began < STARTED_MS) continue;
      throw new Error(`the chat server did not start: ${this.#said}`);
    }
  }

  /** What it logged since it was started. */
  get said(): string {
    return this.#said;
  }

  /** Ends it, and resolves when it has ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOPPED_MS);
    await exit;
    clearTimeout(timer);
  }

  /** Ends it and removes its data. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/chat-server/health/ready`)).ok;
    } catch {
      return false;
    }
  }
}
