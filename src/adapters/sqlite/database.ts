import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Refusal } from '../../domain/errors.ts';
import { DatabaseThread } from './database-thread.ts';
import { PendingCalls } from './pending-calls.ts';
import type { Answer, CallName, Calls } from './worker-protocol.ts';

/** The file as the stores see it, wherever it is served. */
export interface Database {
  /**
   * Calls the thread that serves the file.
   * @throws Refusal `store-failed` if the file cannot be read or written, `try-again` if there is
   * no answer within 10 s or the database is closed
   */
  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>>;
  /** Runs `task` right before the database closes. Calls made by the task are still served. */
  beforeClose(task: () => void): void;
  /** Serves all calls made so far, then closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * One SQLite file that this process owns. A thread of its own serves it, so that a slow disk never
 * blocks the event loop. The calls of one tick travel in one message. Writes that wait for the
 * thread share one commit.
 */
export class SqliteDatabase implements Database {
  readonly #thread: DatabaseThread;
  readonly #calls: PendingCalls;
  #beforeClose: (() => void)[] = [];
  #closing: Promise<void> | null = null;
  #failure: Refusal | null = null;

  /**
   * Opens the file, and creates it and its folder if they are missing. `:memory:` opens a database
   * that lives as long as this object.
   * @throws Error with a human-readable message if the file cannot be opened
   */
  static async open(path: string): Promise<SqliteDatabase> {
    if (path !== ':memory:') await mkdir(dirname(path), { recursive: true });
    return new SqliteDatabase(await DatabaseThread.start('worker', { path }));
  }

  private constructor(thread: DatabaseThread) {
    const { worker } = thread;
    this.#thread = thread;
    this.#calls = new PendingCalls((calls) => worker.postMessage(calls));
    worker.on('message', (answers: readonly Answer[]) => this.#calls.settle(answers));
    worker.on('error', (error) => this.#fail(`the database thread has failed: ${error.message}`));
    void thread.exit.then(() => this.#fail('the database is closed'));
  }

  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    if (this.#failure !== null || this.#closing !== null) {
      return Promise.reject(this.#failure ?? new Refusal('try-again', 'the database is closing'));
    }
    return this.#calls.call(name, args);
  }

  /**
   * Writes a copy of the database to a new file, of one moment. Calls are served meanwhile.
   * @throws Error if another copy is being written, the file exists, or it cannot be written
   */
  async backUp(target: string): Promise<void> {
    if (this.#failure !== null || this.#closing !== null) throw new Error('the database is closing');
    await this.#thread.backUp(target);
  }

  beforeClose(task: () => void): void {
    this.#beforeClose.push(task);
  }

  close(): Promise<void> {
    if (this.#closing === null) {
      for (const task of this.#beforeClose) task();
      this.#beforeClose = [];
      this.#calls.flush();
      this.#thread.worker.postMessage('close');
      this.#closing = this.#thread.exit.finally(() => this.#calls.stop());
    }
    return this.#closing;
  }

  #fail(reason: string): void {
    this.#failure ??= new Refusal('try-again', reason);
    this.#calls.fail(this.#failure);
  }
}
