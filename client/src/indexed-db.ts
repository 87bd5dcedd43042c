import type { Command } from './command.ts';
import type { OutboxStorage, StorageNotice } from './storage.ts';
import { Listeners } from './store.ts';

/** The parts of IndexedDB and Web Locks that are used. Their types are those of a DOM. */
interface Request<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}
interface Store {
  add(value: unknown): Request<unknown>;
  put(value: unknown, key: unknown): Request<unknown>;
  delete(key: unknown): Request<unknown>;
  getAll(): Request<Command[]>;
  createIndex(name: string, path: string, options: { unique: boolean }): unknown;
  index(name: string): { getKey(value: string): Request<unknown> };
}
interface Database {
  createObjectStore(name: string, options: { autoIncrement: boolean }): Store;
  transaction(name: string, mode: 'readwrite'): { objectStore(name: string): Store };
}
interface Factory {
  open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null };
}
interface Locks {
  request(name: string, options: { signal: AbortSignal }, held: () => Promise<void>): Promise<void>;
}

const STORE = 'commands';

/**
 * Keeps commands in IndexedDB, over reloads of a page. The tabs of an origin share it: a Web Lock
 * chooses the one that sends, and a BroadcastChannel carries notices.
 */
export class IndexedDbStorage implements OutboxStorage {
  readonly #name: string;
  readonly #channel: InstanceType<typeof BroadcastChannel>;
  readonly #listeners = new Listeners<[StorageNotice]>();
  #database: Promise<Database> | null = null;

  /** @param name of the database. It must differ from user to user: `chat-outbox-7`. */
  constructor(name: string) {
    this.#name = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: { data: unknown }) => this.#listeners.emit(data as StorageNotice);
  }

  async load(): Promise<readonly Command[]> {
    return done((await this.#store()).getAll());
  }

  async add(command: Command): Promise<void> {
    await done((await this.#store()).add(command));
  }

  async update(command: Command): Promise<void> {
    const store = await this.#store();
    const key = await done(store.index('nonce').getKey(command.nonce));
    if (key !== undefined) await done(store.put(command, key));
  }

  async remove(nonce: string): Promise<void> {
    const store = await this.#store();
    const key = await done(store.index('nonce').getKey(nonce));
    if (key !== undefined) await done(store.delete(key));
  }

  own(signal: AbortSignal): Promise<void> {
    const { locks } = globalThis.navigator as unknown as { locks?: Locks };
    // A page without Web Locks is its own owner. Nonces still prevent doubles.
    if (locks === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const hold = () =>
        new Promise<void>((release) => {
          signal.addEventListener('abort', () => release());
          resolve();
        });
      locks.request(this.#name, { signal }, hold).catch(reject);
    });
  }

  post(notice: StorageNotice): void {
    this.#channel.postMessage(notice);
  }

  listen(listener: (notice: StorageNotice) => void): () => void {
    return this.#listeners.add(listener);
  }

  async #store(): Promise<Store> {
    this.#database ??= this.#open();
    return (await this.#database).transaction(STORE, 'readwrite').objectStore(STORE);
  }

  #open(): Promise<Database> {
    const { indexedDB } = globalThis as unknown as { indexedDB: Factory };
    const request = indexedDB.open(this.#name, 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(STORE, { autoIncrement: true });
      store.createIndex('nonce', 'nonce', { unique: true });
    };
    return done(request);
  }
}

function done<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
