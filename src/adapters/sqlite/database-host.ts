import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseThread } from './database-thread.ts';

/** Owns a SQLite file for several processes, which reach it as a {@link SharedDatabase}. */
export class DatabaseHost {
  readonly #thread: DatabaseThread;
  /** Resolves if the thread that serves the file has failed. */
  readonly failed: Promise<Error>;

  /**
   * Opens the file, and creates it and its folder if they are missing. Resolves when the socket
   * listens, which only the user of this process can open.
   * @throws Error with a human-readable message if the file cannot be opened
   */
  static async open(file: string, socketPath: string): Promise<DatabaseHost> {
    if (file !== ':memory:') await mkdir(dirname(file), { recursive: true });
    return new DatabaseHost(await DatabaseThread.start('shared-worker', { path: file, socketPath }));
  }

  private constructor(thread: DatabaseThread) {
    this.#thread = thread;
    this.failed = new Promise((resolve) => thread.worker.on('error', resolve));
  }

  /**
   * Writes a copy of the database to a new file, of one moment. Calls are served meanwhile.
   * @throws Error if another copy is being written, the file exists, or it cannot be written
   */
  backUp(target: string): Promise<void> {
    return this.#thread.backUp(target);
  }

  /** Serves the calls that have arrived, then closes the file. Idempotent. */
  async close(): Promise<void> {
    this.#thread.worker.postMessage('close');
    await this.#thread.exit;
  }
}
