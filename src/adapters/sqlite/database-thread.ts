import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { BackupAnswer, WorkerData } from './worker-protocol.ts';

/** The thread that serves a SQLite file. */
export class DatabaseThread {
  readonly worker: Worker;
  /** Resolves when the thread has ended. */
  readonly exit: Promise<void>;
  readonly #backups: MessagePort;
  #backup: Promise<void> | null = null;

  /**
   * Starts a thread of this folder, and waits for its first message.
   * @param name `worker` serves the process that starts it, `shared-worker` serves a socket
   * @throws Error with a human-readable message if the thread cannot open its file
   */
  static async start(
    name: 'worker' | 'shared-worker',
    { path, socketPath }: Pick<WorkerData, 'path' | 'socketPath'>,
  ): Promise<DatabaseThread> {
    // The compiler does not rewrite the name of a worker's file as it rewrites imports.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const cache = getCompileCacheDir();
    const { port1: backups, port2 } = new MessageChannel();
    const worker = new Worker(new URL(`./${name}.${extension}`, import.meta.url), {
      workerData: { path, socketPath, backups: port2 } satisfies WorkerData,
      transferList: [port2],
      // A thread has its own compile cache, which only this variable switches on. It saves 30 MB,
      // because the thread does not load the compiler.
      env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) },
      // The thread holds little data, and not for long.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: 'sqlite',
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.removeAllListeners('error');
    return new DatabaseThread(worker, backups);
  }

  private constructor(worker: Worker, backups: MessagePort) {
    this.worker = worker;
    this.#backups = backups;
    backups.unref();
    this.exit = new Promise((resolve) => {
      worker.once('exit', () => {
        backups.close();
        resolve();
      });
    });
  }

  /**
   * Writes a copy of the database to a new file, of one moment. Calls are served meanwhile.
   * @throws Error if another copy is being written, the file exists, or it cannot be written
   */
  async backUp(target: string): Promise<void> {
    if (this.#backup !== null) throw new Error('another backup is being written');
    this.#backup = this.#writeCopy(target);
    try {
      await this.#backup;
    } finally {
      this.#backup = null;
    }
  }

  async #writeCopy(target: string): Promise<void> {
    const answer = new Promise<BackupAnswer>((resolve) => this.#backups.once('message', resolve));
    this.#backups.postMessage(target);
    const closed = this.exit.then((): BackupAnswer => ({ error: 'the database was closed meanwhile' }));
    const { error } = await Promise.race([answer, closed]);
    if (error !== null) throw new Error(error);
  }
}
