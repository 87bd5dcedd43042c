import type { Logger } from 'pino';
import type { PresenceRequest } from './codec.ts';
import { voiceOf } from './entry.ts';
import { type Answer, Presence } from './presence.ts';
import type { PresenceStore } from './store.ts';
import { MemoryStore } from './store-memory.ts';

/** A store shared with others, and whether it answers. */
export interface SharedStore extends PresenceStore {
  /** Rejects where the store does not answer in time. @returns false where the store has lost what it knew */
  check(): Promise<boolean>;
}

export interface ResilientOptions {
  /** Absent: this process alone knows everything. */
  readonly shared?: SharedStore;
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Owners with a connection open here. */
  readonly owners: () => readonly string[];
}

interface Told {
  readonly request: PresenceRequest;
  readonly owner: string;
}

/** What is told while the shared store is away, at most; the oldest goes first. */
const MOST_PENDING = 200_000;

/**
 * Presence over a shared store that may be away. It answers from the copy of what this process was told, and tells the
 * store, when it is back, what changed meanwhile: of each session and each user the last. A store that came back empty
 * is told everything. Never rejects.
 */
export class ResilientPresence {
  readonly #options: ResilientOptions;
  readonly #memory = new MemoryStore();
  readonly #local: Presence;
  readonly #shared: Presence | null;
  readonly #pending = new Map<string, Told>();
  #up = false;
  #patience: number;

  constructor(options: ResilientOptions) {
    this.#options = options;
    this.#local = new Presence(this.#memory, options.leaseMs);
    this.#shared = options.shared === undefined ? null : new Presence(options.shared, options.leaseMs);
    this.#patience = Date.now() + options.leaseMs;
  }

  /** Whether what is answered now is all that is known, also by other processes. */
  get complete(): boolean {
    return this.#shared === null || this.#up;
  }

  async handle(request: PresenceRequest, owner: string): Promise<Answer> {
    const answer = await this.#viaShared((shared) => shared.handle(request, owner));
    if (answer !== null) return answer;
    const told = await this.#local.handle(request, owner);
    if (this.#shared !== null) this.#keep({ request, owner });
    if (this.#up) await this.#viaShared((shared) => this.#catchUp(shared));
    return told;
  }

  /**
   * To be called several times within a lease: renews the leases of owners, ends what has lapsed, finds a lost store.
   * While the store is away no lease ends: this process can't see the connections that others have.
   */
  async tick(): Promise<Answer> {
    await this.#recover();
    const now = Date.now();
    const { owners, leaseMs, shared } = this.#options;
    if (shared === undefined) {
      await this.#memory.renew(owners(), now + leaseMs);
      return this.#local.sweep();
    }
    const swept = await this.#viaShared(async (presence) => {
      await shared.renew(owners(), now + leaseMs);
      return now < this.#patience ? presence.expire() : presence.sweep();
    });
    const expired = await this.#local.expire();
    return swept ?? expired;
  }

  async #viaShared(ask: (shared: Presence) => Promise<Answer | null>): Promise<Answer | null> {
    if (this.#shared === null || !this.#up) return null;
    try {
      const answer = await ask(this.#shared);
      for (const [user, entry] of answer?.changed ?? []) {
        this.#memory.put(user, entry, Date.now() + this.#options.leaseMs);
      }
      return answer;
    } catch (error) {
      this.#up = false;
      this.#options.logger.warn({ err: error }, 'the shared store is away; answering from memory');
      return null;
    }
  }

  async #recover(): Promise<void> {
    const { shared, leaseMs, logger } = this.#options;
    if (shared === undefined || this.#shared === null || this.#up) return;
    try {
      const knows = await shared.check();
      await shared.renew(this.#options.owners(), Date.now() + leaseMs);
      if (!knows) this.#keepAll();
      const count = this.#pending.size;
      await this.#catchUp(this.#shared);
      this.#patience = Date.now() + leaseMs;
      this.#up = true;
      logger.info({ told: count }, 'the shared store answers');
    } catch (error) {
      logger.debug({ err: error }, 'the shared store is still away');
    }
  }

  /** New requests may be added meanwhile; when it resolves, none is left. */
  async #catchUp(shared: Presence): Promise<null> {
    for (const [key, told] of this.#pending) {
      await shared.handle(told.request, told.owner);
      if (this.#pending.get(key) === told) this.#pending.delete(key);
    }
    return null;
  }

  #keep(told: Told): void {
    const { request } = told;
    if (request.type === 'looking' || request.type === 'before-enter') return;
    const key = 'session' in request ? `session ${request.session}` : `user ${request.user}`;
    this.#pending.delete(key);
    this.#pending.set(key, told);
    if (this.#pending.size <= MOST_PENDING) return;
    for (const oldest of this.#pending.keys()) {
      this.#pending.delete(oldest);
      return;
    }
  }

  /** What was told while the store was away stays as it is; the rest is told again as it was last known. */
  #keepAll(): void {
    const later = [...this.#pending.values()];
    for (const [user, entry] of this.#memory.all()) {
      for (const [session, { owner }] of Object.entries(entry.sessions)) {
        this.#keep({ request: { type: 'login', session, user }, owner });
      }
      const voice = voiceOf(entry);
      if (voice === null) this.#keep({ request: { type: 'state', user, place: entry.place }, owner: '' });
      else this.#keep({ request: { type: 'enter', user, voice }, owner: '' });
    }
    for (const told of later) this.#keep(told);
  }
}
