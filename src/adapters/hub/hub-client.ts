import { Link } from '../support/processes/link.ts';
import type { CarriedRecord, FromHub, HubPort, ToHub, VoiceDeparture } from './protocol.ts';

const TIMEOUT_CHECK_MS = 100;
const LEAVE_MS = 1_000;

export interface HubClientOptions {
  /** Path of the hub's socket. */
  readonly path: string;
  readonly server: string;
  /** A user left a voice channel. This server is the one that tells the cluster. */
  readonly onVoiceLeft: (left: VoiceDeparture) => void;
}

interface Pending {
  /** The request that has not been sent yet; null after it was sent. */
  unsent: ToHub | null;
  /** Monotonic, in milliseconds. */
  readonly until: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Reactions of a part of this server to the hub. Each is optional. */
export interface HubListener {
  /** Called before anything else is sent, each time. A hub that was started anew knows nothing. */
  joined?(): void;
  left?(reason: string): void;
  refused?(): void;
  records?(records: readonly CarriedRecord[]): void;
  /** Stored events of another server, which the bus brings as well. */
  stored?(records: readonly CarriedRecord[]): void;
  /** Called with all servers that have joined, this one included. */
  members?(servers: readonly string[]): void;
}

/**
 * One server's connection to the hub, which its adapters share. Requests wait for the connection
 * up to their limit of time. A request that is under way when the connection ends fails.
 */
export class HubClient {
  readonly #options: HubClientOptions;
  readonly #link: Link<FromHub, ToHub>;
  #listeners: HubListener[] = [];
  /** In the order of the requests. */
  readonly #pending = new Map<number, Pending>();
  readonly #timeouts: NodeJS.Timeout;
  #lastId = 0;
  #isJoined = false;
  #members: readonly string[] = [];
  #reason = 'the hub has not answered yet';

  constructor(options: HubClientOptions) {
    this.#options = options;
    this.#link = new Link<FromHub, ToHub>({
      path: options.path,
      onMessage: (message) => this.#take(message),
      onUp: () => this.#link.send({ kind: 'join', server: options.server }),
      onDown: (reason) => this.#down(`the hub is away: ${reason}`),
    });
    this.#timeouts = setInterval(() => this.#failOverdue(), TIMEOUT_CHECK_MS).unref();
  }

  get server(): string {
    return this.#options.server;
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Why the hub is not joined. */
  get reason(): string {
    return this.#reason;
  }

  listen(listener: HubListener): void {
    this.#listeners.push(listener);
    if (!this.#isJoined) return;
    listener.joined?.();
    listener.members?.(this.#members);
  }

  /** Resolves when the hub has passed the records on to every other server. */
  publish(records: readonly CarriedRecord[], timeoutMs: number): Promise<void> {
    if (!this.#isJoined) return Promise.reject(new Error(this.#reason));
    return this.#ask((id) => ({ kind: 'publish', id, records }), timeoutMs) as Promise<void>;
  }

  /** Sends records of stored events to every other server. Does nothing while the hub is away. */
  sendStored(records: readonly CarriedRecord[]): void {
    if (this.#isJoined) this.#link.send({ kind: 'stored', records });
  }

  /** Asks for no more records. Resolves when the server's id is free, or when the hub is away. */
  async leave(): Promise<void> {
    if (!this.#isJoined) return;
    await this.#ask((id) => ({ kind: 'leave', id }), LEAVE_MS).catch(() => {});
  }

  /** Calls a port's method in the hub. @throws Error if there is no answer in time */
  call(port: HubPort, method: string, args: readonly unknown[], timeoutMs: number): Promise<unknown> {
    return this.#ask((id) => ({ kind: 'call', id, port, method, args }), timeoutMs);
  }

  /** Ends the connection. Requests that are under way fail. Idempotent. */
  close(): void {
    clearInterval(this.#timeouts);
    this.#listeners = [];
    this.#link.close();
    this.#down('the connection to the hub is closed');
  }

  #ask(request: (id: number) => ToHub, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const message = request(this.#lastId);
      const unsent = this.#isJoined && this.#link.send(message) ? null : message;
      this.#pending.set(this.#lastId, { unsent, until: performance.now() + timeoutMs, resolve, reject });
    });
  }

  #take(message: FromHub): void {
    switch (message.kind) {
      case 'joined':
        this.#joined();
        break;
      case 'refused':
        this.#reason = `another live server uses the server id ${this.server}; each server needs its own id`;
        for (const listener of this.#listeners) listener.refused?.();
        break;
      case 'records':
        for (const listener of this.#listeners) listener.records?.(message.records);
        break;
      case 'stored':
        for (const listener of this.#listeners) listener.stored?.(message.records);
        break;
      case 'members':
        this.#members = message.servers;
        for (const listener of this.#listeners) listener.members?.(message.servers);
        break;
      case 'answer':
        this.#settle(message.id)?.resolve(message.result);
        break;
      case 'failure':
        this.#settle(message.id)?.reject(new Error(message.error));
        break;
      case 'voice-left':
        this.#options.onVoiceLeft(message.left);
        break;
    }
  }

  #joined(): void {
    this.#isJoined = true;
    for (const listener of this.#listeners) listener.joined?.();
    for (const pending of this.#pending.values()) {
      if (pending.unsent !== null && this.#link.send(pending.unsent)) pending.unsent = null;
    }
  }

  #down(reason: string): void {
    const wasJoined = this.#isJoined;
    this.#isJoined = false;
    this.#members = [];
    this.#reason = reason;
    for (const [id, { unsent, reject }] of this.#pending) {
      if (unsent !== null) continue;
      this.#pending.delete(id);
      reject(new Error(reason));
    }
    if (wasJoined) for (const listener of this.#listeners) listener.left?.(reason);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #failOverdue(): void {
    const now = performance.now();
    for (const [id, { until, unsent, reject }] of this.#pending) {
      if (until > now) continue;
      this.#pending.delete(id);
      reject(new Error(unsent === null ? 'the hub does not answer' : this.#reason));
    }
  }
}
