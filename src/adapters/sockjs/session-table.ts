import { performance } from 'node:perf_hooks';
import type { Connection, ConnectionListener } from '../transport/connection.ts';
import { HttpSession, type HttpSessionHost } from './http-session.ts';
import type { Identity } from './identity.ts';
import type { Settings } from './options.ts';
import type { Receiver } from './receiver.ts';
import { Wheel } from './wheel.ts';

/** All HTTP sessions by the id that the client chose. Their number is limited. */
export class SessionTable implements HttpSessionHost {
  readonly maxQueuedBytes: number;
  readonly maxHeldBytes: number;
  readonly onConnection: (connection: Connection) => ConnectionListener;
  readonly onError: (error: unknown) => void;
  readonly wheel: Wheel<HttpSession>;
  readonly #maxSessions: number;
  readonly #disconnectDelay: number;
  readonly #sessions = new Map<string, HttpSession>();
  /** Sessions without a receiver, the one that waits longest first. */
  readonly #detached = new Set<HttpSession>();
  #timer: NodeJS.Timeout | null = null;

  constructor(settings: Settings) {
    this.maxQueuedBytes = settings.maxQueuedBytes;
    this.maxHeldBytes = settings.maxPayload;
    this.onConnection = settings.onConnection;
    this.onError = settings.onError;
    this.wheel = new Wheel<HttpSession>(settings.heartbeatDelay);
    this.#maxSessions = settings.maxSessions;
    this.#disconnectDelay = settings.disconnectDelay;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The session with that id. A closed session is found until it is removed. */
  get(id: string): HttpSession | undefined {
    return this.#sessions.get(id);
  }

  /** Whether one more session may begin. Removes a closed session to make room. */
  hasRoom(): boolean {
    if (this.#sessions.size < this.#maxSessions) return true;
    for (const session of this.#detached) {
      if (session.isOpen) continue;
      this.#remove(session);
      return true;
    }
    return false;
  }

  open(id: string, identity: Identity, receiver: Receiver): void {
    const session = new HttpSession(id, identity, this);
    this.#sessions.set(id, session);
    session.open(receiver);
  }

  closeAll(code: number, reason: string): void {
    for (const session of [...this.#sessions.values()]) session.close(code, reason);
  }

  attached(session: HttpSession): void {
    this.#detached.delete(session);
  }

  detached(session: HttpSession): void {
    if (this.#sessions.get(session.id) !== session) return;
    session.detachedAt = performance.now();
    this.#detached.delete(session);
    this.#detached.add(session);
    this.#timer ??= setInterval(() => this.#sweep(), Math.max(1, this.#disconnectDelay / 10)).unref();
  }

  #sweep(): void {
    const dueBefore = performance.now() - this.#disconnectDelay;
    for (const session of this.#detached) {
      if (session.detachedAt > dueBefore) return;
      this.#remove(session);
    }
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #remove(session: HttpSession): void {
    this.#detached.delete(session);
    this.#sessions.delete(session.id);
    session.expire();
  }
}
