import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { startThread } from './database-thread.ts';

/** Owns a SQLite file for several processes, which reach it as a {@link SharedDatabase}. */
export class DatabaseHost {
  readonly #worker: Worker;
  readonly #exit: Promise<void>;
  /** Resolves if the thread that serves the file has failed. */
  readonly failed: Promise<Error>;

  /**
   * Opens the file, and creates it and its folder if they are missing. Resolves when the socket
   * listens, which only the user of this process can open.
   * @throws Error with a human-readable message if the file cannot be opened
   */
  static async open(file: string, socketPath: string): Promise<DatabaseHost> {
    if (file !== ':memory:') await mkdir(dirname(file), { recursive: true });
    return new DatabaseHost(await startThread('shared-worker', { file, socketPath }));
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.failed = new Promise((resolve) => worker.on('error', resolve));
    this.#exit = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /** Serves the calls that have arrived, then closes the file. Idempotent. */
  async close(): Promise<void> {
    this.#worker.postMessage('close');
    await this.#exit;
  }
}
