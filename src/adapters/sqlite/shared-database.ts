import { Refusal } from '../../domain/errors.ts';
import { Link } from '../support/processes/link.ts';
import type { Database } from './database.ts';
import { PendingCalls } from './pending-calls.ts';
import type { FromStore, StoredBatch, ToStore } from './shared-protocol.ts';
import { type CallName, type Calls, isRepeatable } from './worker-protocol.ts';

const OPEN_MS = 10_000;

export interface SharedDatabaseOptions {
  /** Path of the socket at which the file is served. */
  readonly path: string;
  /** Id of this server. */
  readonly server: string;
}

/**
 * A SQLite file that another process owns and that several processes share. While that process is
 * away, calls wait for the next one. A write that was under way then is refused, since nobody knows
 * whether it was stored. Reads, and the writes that may be repeated, are made again.
 */
export class SharedDatabase implements Database {
  readonly #link: Link<FromStore, ToStore>;
  readonly #calls: PendingCalls;
  #beforeClose: (() => void)[] = [];
  #closing: Promise<void> | null = null;
  #opened: (() => void) | null = null;
  #onStored: (batches: readonly StoredBatch[]) => void = () => {};

  /** @throws Error if the other process does not answer */
  static async open(options: SharedDatabaseOptions): Promise<SharedDatabase> {
    const database = new SharedDatabase(options);
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        void database.close();
        reject(new Error('the process that owns the database does not answer'));
      }, OPEN_MS);
      database.#opened = () => {
        clearTimeout(late);
        resolve();
      };
    });
    return database;
  }

  private constructor({ path, server }: SharedDatabaseOptions) {
    this.#calls = new PendingCalls((calls) => this.#link.send({ kind: 'calls', calls }));
    this.#link = new Link<FromStore, ToStore>({
      path,
      onMessage: (message) => this.#take(message),
      onUp: () => {
        this.#link.send({ kind: 'join', server });
        const calls = this.#calls.takeUnanswered();
        if (calls.length > 0) this.#link.send({ kind: 'calls', calls });
      },
      onDown: () => {
        const reason = new Refusal('try-again', 'the process that owns the database has ended');
        this.#calls.fail(reason, ({ name }) => !isRepeatable(name));
      },
    });
  }

  /** Called for the events that other processes store. */
  onStored(handler: (batches: readonly StoredBatch[]) => void): void {
    this.#onStored = handler;
  }

  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    if (this.#closing !== null) return Promise.reject(new Refusal('try-again', 'the database is closing'));
    return this.#calls.call(name, args);
  }

  beforeClose(task: () => void): void {
    this.#beforeClose.push(task);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #take(message: FromStore): void {
    switch (message.kind) {
      case 'joined':
        this.#opened?.();
        break;
      case 'answers':
        this.#calls.settle(message.answers);
        break;
      case 'stored':
        this.#onStored(message.batches);
        break;
    }
  }

  async #close(): Promise<void> {
    const last: Promise<unknown>[] = [];
    // A call made after the others is answered after them.
    for (const task of this.#beforeClose) task();
    this.#beforeClose = [];
    if (this.#link.isUp) last.push(this.#calls.call('newest', [[]]));
    await Promise.allSettled(last);
    this.#link.close();
    this.#calls.fail(new Refusal('try-again', 'the database is closed'));
    this.#calls.stop();
  }
}
