import { mkdir } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Refusal } from '../../domain/errors.ts';
import type { Answer, Asked, DatabaseFailure } from './transaction-group.ts';
import type { CallName, Calls } from './worker-protocol.ts';

/** A disk that does not answer for so long is treated as failed. */
const BOUND_MS = 10_000;

interface Pending {
  readonly since: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * One SQLite file, owned by this process and served by a thread of its own, so that a slow disk never holds up the event loop.
 * Calls of one tick leave in one message; writes that meet at the thread share one commit.
 */
export class SqliteDatabase {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exit: Promise<void>;
  #outgoing: Asked[] = [];
  #lastId = 0;
  #watch: NodeJS.Timeout | undefined;
  #beforeClose: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  #failure: Refusal | undefined;

  /** Opens or creates the file and its folder (`:memory:` for one that lives as long as this object). @throws Error for people when it can't be had. */
  static async open(path: string): Promise<SqliteDatabase> {
    if (path !== ':memory:') await mkdir(dirname(path), { recursive: true });
    // Built code has `.js` beside it, and the worker's name is no import that a compiler would rewrite.
    const file = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
    const cache = getCompileCacheDir();
    const worker = new Worker(file, {
      workerData: path,
      // A thread has a compile cache of its own, and only by this variable: 30 MB less, as nothing has to be compiled there either.
      env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) },
      // What it holds is little, and short-lived.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      name: 'sqlite',
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.removeAllListeners('error');
    return new SqliteDatabase(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answers: readonly Answer[]) => this.#settle(answers));
    worker.on('error', (error) => this.#fail(`the database thread died: ${error.message}`));
    this.#exit = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#fail('the database is closed');
        resolve();
      });
    });
  }

  /** @throws Refusal `store-failed` when the file can't be read or written, `try-again` when it does not answer or is closed. */
  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined || this.#closing !== undefined) {
        reject(this.#failure ?? new Refusal('try-again', 'the database is closing'));
        return;
      }
      const settle = resolve as (result: unknown) => void;
      this.#send(name, args, { since: Date.now(), resolve: settle, reject });
    });
  }

  /** Runs `task` when the database is about to close; calls that it makes are still served. */
  beforeClose(task: () => void): void {
    this.#beforeClose.push(task);
  }

  /** Serves what was asked, then lets the file go. Idempotent. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      for (const task of this.#beforeClose) task();
      this.#beforeClose = [];
      this.#flush();
      this.#worker.postMessage('close');
      this.#closing = this.#exit.finally(() => clearInterval(this.#watch));
    }
    return this.#closing;
  }

  #send(name: CallName, args: readonly unknown[], pending: Pending): void {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, pending);
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    this.#outgoing.push({ id: this.#lastId, name, args });
    this.#watch ??= setInterval(() => this.#giveUp(), 1000).unref();
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

  /** The oldest come first in the map, so a look at a few is enough. */
  #giveUp(): void {
    const limit = Date.now() - BOUND_MS;
    for (const [id, pending] of this.#pending) {
      if (pending.since > limit) return;
      this.#pending.delete(id);
      pending.reject(new Refusal('try-again', 'the database does not answer'));
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
