import type { Command } from './command.ts';
import type { Receipt } from './connection.ts';
import { Listeners } from './store.ts';

/** A notice from one client of a storage to the others. */
export type StorageNotice =
  /** The commands changed: read them again. */
  | { readonly what: 'changed' }
  /** A command was stored by the server. It is removed. */
  | { readonly what: 'stored'; readonly nonce: string; readonly receipt: Receipt };

/**
 * Keeps the commands of one user that are not confirmed yet. Several clients may share it, such as
 * the tabs of a browser: one of them owns it and sends. Use one storage for each user.
 */
export interface OutboxStorage {
  /** All commands, in the order in which they were added. */
  load(): Promise<readonly Command[]>;
  /** Adds a command after all others. */
  add(command: Command): Promise<void>;
  /**
   * Replaces the command with the same nonce, in its position. Does nothing where it is missing.
   */
  update(command: Command): Promise<void>;
  remove(nonce: string): Promise<void>;
  /**
   * Resolves when this client is the owner. It stays so until `signal` aborts or its process ends.
   */
  own(signal: AbortSignal): Promise<void>;
  /** Notifies the other clients. May notify this one too. */
  post(notice: StorageNotice): void;
  /** Returns a function that removes the listener. */
  listen(listener: (notice: StorageNotice) => void): () => void;
}

/** Keeps commands as long as the process runs. Clients that share the object act like tabs. */
export class MemoryStorage implements OutboxStorage {
  #commands: readonly Command[] = [];
  readonly #listeners = new Listeners<[StorageNotice]>();
  #owned: Promise<void> = Promise.resolve();

  async load(): Promise<readonly Command[]> {
    return this.#commands;
  }

  async add(command: Command): Promise<void> {
    this.#commands = [...this.#commands, command];
  }

  async update(command: Command): Promise<void> {
    this.#commands = this.#commands.map((each) => (each.nonce === command.nonce ? command : each));
  }

  async remove(nonce: string): Promise<void> {
    this.#commands = this.#commands.filter((each) => each.nonce !== nonce);
  }

  own(signal: AbortSignal): Promise<void> {
    const before = this.#owned;
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
    this.#owned = before.then(() => ended);
    return before;
  }

  post(notice: StorageNotice): void {
    queueMicrotask(() => this.#listeners.emit(notice));
  }

  listen(listener: (notice: StorageNotice) => void): () => void {
    return this.#listeners.add(listener);
  }
}
