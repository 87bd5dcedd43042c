import { type Command, createsEntry, laneOf } from './command.ts';
import type { Receipt } from './connection.ts';
import { isFinal, messageOf, Refused } from './errors.ts';
import type { OutboxStorage, StorageNotice } from './storage.ts';
import { Listeners } from './store.ts';
import { after, Backoff } from './timing.ts';

const NOT_FOUND = 4111;
const NOT_POSSIBLE = 2100;
/** The server knows a nonce for 24 hours. A command that was sent earlier could be stored twice. */
const MAX_REPEAT_MS = 23 * 3_600_000;
/** A storage that takes longer has failed, and is given less time until it works again. */
const STORAGE_MS = 5_000;
const FAILED_STORAGE_MS = 100;
const FAILED = Symbol();

export interface OutboxParts {
  readonly storage: OutboxStorage;
  readonly isOnline: () => boolean;
  /** Sends a command once. @throws Refused, Unanswered */
  readonly send: (command: Command) => Promise<Receipt>;
  readonly random: () => number;
}

interface Lane {
  isBusy: boolean;
  /** Ends the pause before the next attempt; null: there is none. */
  cancelPause: (() => void) | null;
  readonly backoff: Backoff;
}

interface Waiter {
  resolve(receipt: Receipt): void;
  reject(error: Error): void;
}

/**
 * Sends the commands of each lane one by one, in order, and repeats each one until it is stored or
 * refused for good. Of several clients with one storage, one sends.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #lanes = new Map<string, Lane>();
  readonly #waiters = new Map<string, Waiter>();
  /** Nonces that the storage does not have yet. */
  readonly #adding = new Set<string>();
  /** Nonces that the storage could not take. They are sent, and do not survive a reload. */
  readonly #unkept = new Set<string>();
  /** The refusals for which commands wait, by nonce. */
  readonly delays = new Map<string, Refused>();
  readonly #stop = new AbortController();
  #commands: readonly Command[] = [];
  #isOwner = false;
  #writes: Promise<unknown> = Promise.resolve();
  #storageMs = STORAGE_MS;
  /** Counts the changes that this client made. */
  #version = 0;
  /** A command of the place came, changed or went. */
  readonly onChange = new Listeners<[Command]>();
  readonly onStored = new Listeners<[Command, Receipt]>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Loads the kept commands, and sends them once this client owns the storage. */
  async start(): Promise<void> {
    const { storage } = this.#parts;
    const remove = storage.listen((notice) => this.#heard(notice));
    this.#stop.signal.addEventListener('abort', remove);
    await this.#reload();
    // A storage that does not work must not keep the user from talking.
    await storage.own(this.#stop.signal).catch(() => {});
    if (this.#stop.signal.aborted) return;
    this.#isOwner = true;
    await this.#reload();
    this.flush();
  }

  /** Stops sending. Kept commands stay in the storage. */
  stop(): void {
    this.#stop.abort();
    for (const { cancelPause } of this.#lanes.values()) cancelPause?.();
  }

  /** The commands of a place that are not confirmed, in order. */
  of(place: string): readonly Command[] {
    return this.#commands.filter((command) => command.place === place);
  }

  find(nonce: string): Command | undefined {
    return this.#commands.find((command) => command.nonce === nonce);
  }

  /** Resolves when the command is stored. Rejects when it can never be, or is discarded. */
  add(command: Command): Promise<Receipt> {
    const settled = new Promise<Receipt>((resolve, reject) => {
      this.#waiters.set(command.nonce, { resolve, reject });
    });
    // An application that does not wait for the answer sees the failure in the entry.
    settled.catch(() => {});
    this.#commands = [...this.#commands, command];
    this.onChange.emit(command);
    if (command.failure !== null) this.#settle(command, new Refused(command.failure.code, command.failure.message));
    this.#append(command);
    return settled;
  }

  /** Sends a failed command again, after all others of its place. */
  retry(nonce: string): void {
    const command = this.find(nonce);
    if (command === undefined || command.failure === null) return;
    const again = { ...command, failure: null, triedAt: null, at: Date.now() };
    this.#commands = [...this.#commands.filter((each) => each !== command), again];
    this.#unkept.delete(nonce);
    this.onChange.emit(again);
    this.#write((storage) => storage.remove(nonce));
    this.#append(again);
  }

  /** Gives a command up. One that is under way may be stored nevertheless. */
  discard(nonce: string): void {
    const command = this.find(nonce);
    if (command === undefined) return;
    this.#drop(command);
    this.#settle(command, new Refused(NOT_POSSIBLE, 'the command was discarded'));
  }

  /**
   * Sends everything that waits, in all lanes.
   * @param isNewSession true: also where a lane pauses after a failure
   */
  flush(isNewSession = false): void {
    if (!this.#isOwner || this.#stop.signal.aborted) return;
    for (const lane of new Set(this.#commands.map(laneOf))) this.#run(lane, isNewSession);
  }

  #append(command: Command): void {
    const { nonce } = command;
    this.#version += 1;
    this.#adding.add(nonce);
    this.#write((storage) => storage.add(command)).then((isKept) => {
      if (!isKept) this.#unkept.add(nonce);
      this.#adding.delete(nonce);
      this.#parts.storage.post({ what: 'changed' });
      this.flush();
    });
  }

  /** Writes in the order of the calls. Resolves with false where the storage failed. */
  #write(work: (storage: OutboxStorage) => Promise<unknown>): Promise<boolean> {
    const written = this.#writes
      .then(() => this.#answerOf(work(this.#parts.storage)))
      .then(
        (answer) => answer !== FAILED,
        () => false,
      );
    this.#writes = written;
    return written;
  }

  /** Resolves with FAILED where the storage fails, or does not answer in time. */
  #answerOf<T>(work: Promise<T>): Promise<T | typeof FAILED> {
    return new Promise((resolve) => {
      const fail = () => {
        this.#storageMs = FAILED_STORAGE_MS;
        resolve(FAILED);
      };
      const cancel = after(this.#storageMs, fail);
      work.then((answer) => {
        cancel();
        this.#storageMs = STORAGE_MS;
        resolve(answer);
      }, fail);
    });
  }

  async #run(name: string, isForced: boolean): Promise<void> {
    const lane = this.#laneOf(name);
    if (lane.isBusy || (lane.cancelPause !== null && !isForced)) return;
    lane.cancelPause?.();
    lane.cancelPause = null;
    lane.isBusy = true;
    let pause = 0;
    for (let next = this.#next(name); next !== undefined && pause === 0; next = this.#next(name)) {
      pause = await this.#attempt(next, lane);
    }
    lane.isBusy = false;
    if (pause > 0) lane.cancelPause = after(pause, () => this.#run(name, true));
  }

  #laneOf(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane: Lane = { isBusy: false, cancelPause: null, backoff: new Backoff(1_000, 15_000, this.#parts.random) };
    this.#lanes.set(name, lane);
    return lane;
  }

  #next(lane: string): Command | undefined {
    if (this.#stop.signal.aborted || !this.#parts.isOnline()) return undefined;
    const next = this.#commands.find((command) => command.failure === null && laneOf(command) === lane);
    // Until the storage has a command, one of another tab may have to go first.
    return next === undefined || this.#adding.has(next.nonce) ? undefined : next;
  }

  /** @returns milliseconds until the next attempt in this lane; 0: go on */
  async #attempt(command: Command, lane: Lane): Promise<number> {
    const impossible = reasonAgainst(command);
    if (impossible !== null) {
      this.#fail(command, impossible);
      return 0;
    }
    const tried = command.triedAt === null ? this.#change(command, { triedAt: Date.now() }) : command;
    await this.#writes;
    this.delays.delete(tried.nonce);
    try {
      this.#stored(tried, await this.#parts.send(tried));
    } catch (error) {
      if (error instanceof Refused && error.code === NOT_FOUND && command.kind === 'delete') {
        // The message is gone already.
        this.#stored(tried, { id: command.target ?? '', seq: 0 });
      } else if (isFinal(error)) this.#fail(tried, error);
      else {
        if (error instanceof Refused) {
          this.delays.set(tried.nonce, error);
          this.onChange.emit(tried);
        }
        return Math.max(1, lane.backoff.next(error));
      }
    }
    lane.backoff.reset();
    return 0;
  }

  #stored(command: Command, receipt: Receipt): void {
    const current = this.find(command.nonce) ?? command;
    this.#drop(current);
    this.#parts.storage.post({ what: 'stored', nonce: command.nonce, receipt });
    this.#confirmed(current, receipt);
  }

  #confirmed(command: Command, receipt: Receipt): void {
    if (createsEntry(command)) {
      for (const each of this.#commands) {
        if (each.targetNonce === command.nonce) this.#change(each, { target: receipt.id, targetNonce: null });
      }
    }
    this.onStored.emit(command, receipt);
    this.#waiters.get(command.nonce)?.resolve(receipt);
    this.#waiters.delete(command.nonce);
  }

  #fail(command: Command, error: unknown): void {
    const code = error instanceof Refused ? error.code : NOT_POSSIBLE;
    const failure = { code, message: messageOf(error) };
    // The user may have discarded it meanwhile.
    if (this.find(command.nonce) === undefined) return;
    const failed = this.#change(command, { failure });
    this.#parts.storage.post({ what: 'changed' });
    this.#settle(failed, new Refused(code, failure.message));
  }

  #settle({ nonce }: Command, error: Error): void {
    this.#waiters.get(nonce)?.reject(error);
    this.#waiters.delete(nonce);
  }

  #change(command: Command, changes: Partial<Command>): Command {
    const changed = { ...command, ...changes };
    this.#version += 1;
    this.#commands = this.#commands.map((each) => (each.nonce === command.nonce ? changed : each));
    this.#write((storage) => storage.update(changed));
    this.onChange.emit(changed);
    return changed;
  }

  #drop(command: Command): void {
    this.#version += 1;
    this.#unkept.delete(command.nonce);
    this.delays.delete(command.nonce);
    this.#commands = this.#commands.filter(({ nonce }) => nonce !== command.nonce);
    this.#write((storage) => storage.remove(command.nonce)).then(() => this.#parts.storage.post({ what: 'changed' }));
    this.onChange.emit(command);
  }

  #heard(notice: StorageNotice): void {
    if (notice.what === 'changed') {
      this.#reload().then(() => this.flush());
      return;
    }
    const command = this.find(notice.nonce);
    if (command === undefined) return;
    this.#commands = this.#commands.filter((each) => each !== command);
    this.onChange.emit(command);
    this.#confirmed(command, notice.receipt);
  }

  /** Takes over what other tabs wrote. */
  async #reload(): Promise<void> {
    let kept: readonly Command[];
    let version: number;
    do {
      version = this.#version;
      await this.#writes;
      const loading = this.#parts.storage.load();
      const loaded = await this.#answerOf(loading);
      if (loaded === FAILED) {
        // A storage that answers later works after all. Its commands are loaded then.
        loading
          .then(() => this.#reload())
          .then(
            () => this.flush(),
            () => {},
          );
        return;
      }
      kept = loaded;
    } while (version !== this.#version);
    const before = this.#commands;
    const isOnlyHere = ({ nonce }: Command) => this.#adding.has(nonce) || this.#unkept.has(nonce);
    const isKept = ({ nonce }: Command) => kept.some((each) => each.nonce === nonce);
    this.#commands = [...kept, ...before.filter((command) => isOnlyHere(command) && !isKept(command))];
    const gone = before.filter(({ nonce }) => this.find(nonce) === undefined);
    for (const command of gone) this.#settle(command, new Refused(NOT_POSSIBLE, 'the command was discarded'));
    for (const command of this.#commands) {
      const { failure } = command;
      if (failure !== null) this.#settle(command, new Refused(failure.code, failure.message));
    }
    for (const command of [...gone, ...this.#commands]) this.onChange.emit(command);
  }
}

function reasonAgainst({ triedAt, target, targetNonce, kind }: Command): Refused | null {
  if (triedAt !== null && Date.now() - triedAt > MAX_REPEAT_MS) {
    return new Refused(NOT_POSSIBLE, 'the server no longer knows whether it stored this');
  }
  // Commands of a lane are sent in order: a message that this one is about was not stored.
  const needsTarget = kind === 'edit' || kind === 'delete' || kind === 'reply';
  return needsTarget && target === null
    ? new Refused(NOT_FOUND, targetNonce === null ? 'the message is missing' : 'the message was not stored')
    : null;
}
