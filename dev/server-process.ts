import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { VARIABLE_NAMES } from '../src/bootstrap/config/variables.ts';
import { freePort } from './services/free-port.ts';
import { LocalProcess } from './services/local-process.ts';

const MAIN = fileURLToPath(new URL('../src/bootstrap/main.js', import.meta.url));
const READY_MS = 60_000;
const PROBE_EVERY_MS = 50;
const PROBE_MS = 2_000;
const STOP_MS = 10_000;

export interface ServerProcessOptions {
  /**
   * Variables of the server besides `PORT`, `DATA_DIR` and, where `id` is given, `SERVER_ID`. All
   * other variables of the server are unset, whatever the environment of this process has.
   */
  readonly env?: Readonly<Record<string, string>>;
  readonly id?: string;
  /** The program to run. Default: the server of this repository. */
  readonly main?: string;
  /** Arguments of the program. Default: none. */
  readonly mainArgs?: readonly string[];
  /** Default: a free port. It stays the same after each restart. */
  readonly port?: number;
  /** Default: a new folder, which `dispose` removes. A folder that is given here stays. */
  readonly dataDir?: string;
  /** Arguments for Node, such as `--max-old-space-size=512`. */
  readonly nodeArgs?: readonly string[];
}

/** One chat server as a child process. It never outlives this process. */
export class ServerProcess {
  readonly id: string;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly dataDir: string;
  /** File with the server's log. `dispose` removes it. */
  readonly logFile: string;
  readonly #engine: LocalProcess;

  private constructor(id: string, port: number, folder: string, options: ServerProcessOptions) {
    this.id = id;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = options.dataDir ?? join(folder, 'data');
    this.logFile = join(folder, 'service.log');
    const unset = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, '']));
    const own: Record<string, string> = { PORT: String(port), DATA_DIR: this.dataDir };
    if (options.id !== undefined) own.SERVER_ID = options.id;
    this.#engine = new LocalProcess({
      program: process.execPath,
      args: [...(options.nodeArgs ?? []), options.main ?? MAIN, ...(options.mainArgs ?? [])],
      folder,
      env: { ...unset, ...own, ...options.env },
    });
  }

  /**
   * Starts a server and resolves when it is ready.
   * @throws Error with the end of its log if it does not start; nothing of it is left then
   */
  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-server-'));
    const server = new ServerProcess(options.id ?? '', options.port ?? (await freePort()), folder, options);
    try {
      await server.#start();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** Undefined while the server does not run. */
  get pid(): number | undefined {
    return this.#engine.pid;
  }

  get running(): boolean {
    return this.#engine.pid !== undefined;
  }

  /**
   * Sends SIGTERM: the server drains. Resolves with `exit code 0`, or with `SIGKILL` if it took
   * longer than 10 s.
   */
  async stop(): Promise<string> {
    await this.#engine.terminate();
    return this.#engine.ended() ?? 'not ended';
  }

  /** Sends SIGKILL. */
  async kill(): Promise<void> {
    // SIGKILL ends a stopped process too.
    await this.#engine.kill();
  }

  /** Sends SIGSTOP: connections stay open and nothing answers. */
  async freeze(): Promise<void> {
    await this.#engine.freeze();
  }

  /** Sends SIGCONT. */
  async thaw(): Promise<void> {
    await this.#engine.thaw();
  }

  /**
   * Stops the server if it runs, and starts it on the same port and data folder. Resolves when it
   * is ready.
   * @param drainMs time that the server takes to drain, besides the usual 10 s
   */
  async restart(drainMs = 0): Promise<void> {
    await this.#engine.terminate(STOP_MS + drainMs);
    await this.#start();
  }

  /** The whole log, over all restarts. */
  async log(): Promise<string> {
    return await readFile(this.logFile, 'utf8').catch(() => '');
  }

  /** The last lines of the log. */
  logTail(): Promise<string> {
    return this.#engine.logTail();
  }

  /** Ends the server and removes its files, except a data folder that was given. */
  async dispose(): Promise<void> {
    await this.#engine.dispose();
  }

  async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/chat-server/health/ready`, { signal: AbortSignal.timeout(PROBE_MS) });
      await answer.arrayBuffer();
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  async #start(): Promise<void> {
    await this.#engine.start();
    const deadline = Date.now() + READY_MS;
    while (!(await this.isReady())) {
      const ended = this.#engine.ended();
      if (ended === undefined && Date.now() < deadline) {
        await delay(PROBE_EVERY_MS);
        continue;
      }
      const how = ended === undefined ? `was not ready within ${READY_MS / 1000} s` : `ended (${ended})`;
      throw new Error(`the chat server ${this.id} ${how}; the end of its log:\n${await this.logTail()}`);
    }
  }
}

/** Starts one server on embedded parts. */
export function startEmbedded(
  options: Pick<ServerProcessOptions, 'env' | 'dataDir' | 'port' | 'nodeArgs'> = {},
): Promise<ServerProcess> {
  return ServerProcess.start(options);
}
