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

export interface ServerProcessOptions {
  /** Variables of the server beside `PORT`, `DATA_DIR` and, where `id` is given, `SERVER_ID`. Those not named are unset, whatever the surroundings say. */
  readonly env?: Readonly<Record<string, string>>;
  readonly id?: string;
  /** The program to run. Default: the server of this repository. */
  readonly main?: string;
  /** Default: a free one, the same after each restart. */
  readonly port?: number;
  /** Default: a folder of its own, removed at the end; one that is given stays. */
  readonly dataDir?: string;
  /** Arguments of Node before the program, such as `--max-old-space-size=512`. */
  readonly nodeArgs?: readonly string[];
}

/** One chat server as a child process that never outlives this one. */
export class ServerProcess {
  readonly id: string;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly dataDir: string;
  /** Where everything stands that it logged; removed with the rest. */
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
      args: [...(options.nodeArgs ?? []), options.main ?? MAIN],
      folder,
      env: { ...unset, ...own, ...options.env },
    });
  }

  /** Resolves when it says that it is ready. @throws Error with what it said, where it ended instead; nothing of it is left then */
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

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#engine.pid;
  }

  get running(): boolean {
    return this.#engine.pid !== undefined;
  }

  /** SIGTERM: it drains. Resolves with how it ended: `exit code 0`; `SIGKILL` where that took longer than 10 s. */
  async stop(): Promise<string> {
    await this.#engine.terminate();
    return this.#engine.ended() ?? 'not ended';
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    // A stopped process dies of it all the same.
    await this.#engine.kill();
  }

  /** SIGSTOP: its connections stay open and nothing answers. */
  async freeze(): Promise<void> {
    await this.#engine.freeze();
  }

  /** SIGCONT. */
  async thaw(): Promise<void> {
    await this.#engine.thaw();
  }

  /** Up again on the same port and data folder, whether it runs or not; resolves when it is ready. */
  async restart(): Promise<void> {
    await this.#engine.terminate();
    await this.#start();
  }

  /** Everything that it logged, over all restarts. */
  async log(): Promise<string> {
    return await readFile(this.logFile, 'utf8').catch(() => '');
  }

  /** The last lines that it logged. */
  logTail(): Promise<string> {
    return this.#engine.logTail();
  }

  /** Ends it and removes all that it left, a data folder that was given aside. */
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
      throw new Error(`the chat server ${this.id} ${how}; it said:\n${await this.logTail()}`);
    }
  }
}

/** One server on its embedded parts. `env` as in ServerProcess; a secret of its own where none is given. */
export function startEmbedded(
  options: Pick<ServerProcessOptions, 'env' | 'dataDir' | 'port' | 'nodeArgs'> = {},
): Promise<ServerProcess> {
  return ServerProcess.start(options);
}
