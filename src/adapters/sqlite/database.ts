import { mkdir } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { Refusal } from '../../domain/errors.ts';
import type { Answer, BackupAnswer, Call, CallName, Calls, DatabaseFailure, WorkerData } from './worker-protocol.ts';

/** A call without an answer after this time is refused. The disk is then treated as failed. */
const TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_MS = 1_000;

interface PendingCall {
  /** Monotonic, in milliseconds. */
  readonly since: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * One SQLite file that this process owns. A thread of its own serves it, so that a slow disk never
 * blocks the event loop. The calls of one tick travel in one message. Writes that wait for the
 * thread share one commit.
 */
export class SqliteDatabase {
  readonly #worker: Worker;
  readonly #backups: MessagePort;
  #backup: Promise<void> | null = null;
  /** In the order of the calls. */
  readonly #pending = new Map<number, PendingCall>();
  readonly #exit: Promise<void>;
  #outgoing: Call[] = [];
  #lastId = 0;
  #timeoutCheck: NodeJS.Timeout | null = null;
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
    // The compiler does not rewrite the name of a worker's file as it rewrites imports.
    const file = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
    const cache = getCompileCacheDir();
    const { port1: backups, port2 } = new MessageChannel();
    const worker = new Worker(file, {
      workerData: { path, backups: port2 } satisfies WorkerData,
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
    return new SqliteDatabase(worker, backups);
  }

  private constructor(worker: Worker, backups: MessagePort) {
    this.#worker = worker;
    this.#backups = backups;
    backups.unref();
    worker.on('message', (answers: readonly Answer[]) => this.#settle(answers));
    worker.on('error', (error) => this.#fail(`the database thread has failed: ${error.message}`));
    this.#exit = new Promise((resolve) => {
      worker.once('exit', () => {
        backups.close();
        this.#fail('the database is closed');
        resolve();
      });
    });
  }

  /**
   * Calls the database thread.
   * @throws Refusal `store-failed` if the file cannot be read or written, `try-again` if there is
   * no answer within 10 s or the database is closed
   */
  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null || this.#closing !== null) {
        reject(this.#failure ?? new Refusal('try-again', 'the database is closing'));
        return;
      }
      const settle = resolve as (result: unknown) => void;
      this.#send(name, args, { since: performance.now(), resolve: settle, reject });
    });
  }

  /**
   * Writes a copy of the database to a new file, of one moment. Calls are served meanwhile.
   * @throws Error if another copy is being written, the file exists, or it cannot be written
   */
  async backUp(target: string): Promise<void> {
    if (this.#failure !== null || this.#closing !== null) throw new Error('the database is closing');
    if (this.#backup !== null) throw new Error('another backup is being written');
    this.#backup = this.#writeCopy(target);
    try {
      await this.#backup;
    } finally {
      this.#backup = null;
    }
  }

  /** Runs `task` right before the database closes. Calls made by the task are still served. */
  beforeClose(task: () => void): void {
    this.#beforeClose.push(task);
  }

  /** Serves all calls made so far, then closes the file. Idempotent. */
  close(): Promise<void> {
    if (this.#closing === null) {
      for (const task of this.#beforeClose) task();
      this.#beforeClose = [];
      this.#flush();
      this.#worker.postMessage('close');
      this.#closing = this.#exit.finally(() => {
        if (this.#timeoutCheck !== null) clearInterval(this.#timeoutCheck);
      });
    }
    return this.#closing;
  }

  async #writeCopy(target: string): Promise<void> {
    const answer = new Promise<BackupAnswer>((resolve) => this.#backups.once('message', resolve));
    this.#backups.postMessage(target);
    const closed = this.#exit.then((): BackupAnswer => ({ error: 'the database was closed meanwhile' }));
    const { error } = await Promise.race([answer, closed]);
    if (error !== null) throw new Error(error);
  }

  #send(name: CallName, args: readonly unknown[], pending: PendingCall): void {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, pending);
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    this.#outgoing.push({ id: this.#lastId, name, args });
    this.#timeoutCheck ??= setInterval(() => this.#refuseOverdue(), TIMEOUT_CHECK_MS).unref();
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    if (outgoing.length === 0) return;
    this.#outgoing = [];
    this.#worker.postMessage(outgoing);
  }

  #settle(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if ('result' in answer) pending?.resolve(answer.result);
      else pending?.reject(storeFailed(answer.error));
    }
  }

  #refuseOverdue(): void {
    const limit = performance.now() - TIMEOUT_MS;
    for (const [id, pending] of this.#pending) {
      if (pending.since > limit) return;
      this.#pending.delete(id);
      pending.reject(new Refusal('try-again', `the database has not answered for ${TIMEOUT_MS / 1000} s`));
    }
  }

  #fail(reason: string): void {
    this.#failure ??= new Refusal('try-again', reason);
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}

function storeFailed({ message, errcode }: DatabaseFailure): Refusal {
  const cause = Object.assign(new Error(message), { errcode });
  return new Refusal('store-failed', 'the database refused the operation', { cause });
}
