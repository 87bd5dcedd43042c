import type { Logger } from 'pino';
import { type PresenceRequest, placeOfVoice } from './codec.ts';
import { LeaseClock } from './lease-clock.ts';
import { type Answer, Presence } from './presence.ts';
import type { PresenceStore } from './store.ts';
import { MemoryStore } from './store-memory.ts';

/** A store that several processes share. */
export interface SharedStore extends PresenceStore {
  /**
   * Rejects when the store does not answer in time.
   * @returns false when the store has lost its data
   */
  check(): Promise<boolean>;
  /** Wall clock of the store, in milliseconds since 1970. Rejects like `check`. */
  now(): Promise<number>;
}

export interface ResilientOptions {
  /** Absent: this process keeps all data itself. */
  readonly shared?: SharedStore;
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Owners with an open connection to this process. */
  readonly owners: () => readonly string[];
}

/** A request that changes something. */
type ChangingRequest = Exclude<PresenceRequest, { readonly type: 'looking' | 'before-enter' }>;

interface KeptRequest {
  readonly request: ChangingRequest;
  readonly owner: string;
}

/**
 * Limit for requests that are kept while the shared store is away. Over it the oldest are dropped.
 */
const MAX_PENDING = 200_000;

/**
 * Presence over a shared store that may be away. Meanwhile it answers from its own copy, which
 * holds what this process has received. When the store is back, it writes the changes: the last one
 * of each session, and of each user's place and voice channel. To a store that has lost its data it
 * writes everything. Never rejects.
 */
export class ResilientPresence {
  readonly #options: ResilientOptions;
  readonly #memory = new MemoryStore();
  readonly #clock = new LeaseClock();
  readonly #local: Presence;
  readonly #shared: Presence | null;
  readonly #pending = new Map<string, KeptRequest>();
  #up = false;
  /** Before this time no session ends because of its owner, in milliseconds since 1970. */
  #patientUntil: number;

  constructor(options: ResilientOptions) {
    this.#options = options;
    const now = () => this.#clock.now();
    this.#local = new Presence(this.#memory, options.leaseMs, now);
    this.#shared = options.shared === undefined ? null : new Presence(options.shared, options.leaseMs, now);
    this.#patientUntil = this.#clock.now() + options.leaseMs;
  }

  /** True when answers also hold what other processes know. */
  get complete(): boolean {
    return this.#shared === null || this.#up;
  }

  async handle(request: PresenceRequest, owner: string): Promise<Answer> {
    const answer = await this.#viaShared((shared) => shared.handle(request, owner));
    if (answer !== null) return answer;
    const localAnswer = await this.#local.handle(request, owner);
    const change = changeOf(request, localAnswer);
    if (this.#shared !== null && change !== null) this.#keep({ request: change, owner });
    if (this.#up) await this.#viaShared((shared) => this.#catchUp(shared));
    return localAnswer;
  }

  /**
   * Renews the leases of owners, ends sessions without a lease, and finds a store that is back. It
   * must be called several times within a lease. While the store is away no lease ends, because
   * this process cannot see the connections of other processes.
   */
  async tick(): Promise<Answer> {
    await this.#recover();
    const { owners, leaseMs, shared } = this.#options;
    if (shared === undefined) {
      await this.#memory.renew(owners(), this.#clock.now() + leaseMs);
      return this.#local.sweep();
    }
    const swept = await this.#viaShared(async (presence) => {
      this.#clock.set(await shared.now());
      const now = this.#clock.now();
      await shared.renew(owners(), now + leaseMs);
      return now < this.#patientUntil ? presence.expire() : presence.sweep();
    });
    const expired = await this.#local.expire();
    return swept ?? expired;
  }

  async #viaShared(ask: (shared: Presence) => Promise<Answer | null>): Promise<Answer | null> {
    if (this.#shared === null || !this.#up) return null;
    try {
      const answer = await ask(this.#shared);
      for (const [user, entry] of answer?.changed ?? []) {
        this.#memory.put(user, entry, this.#clock.now() + this.#options.leaseMs);
      }
      return answer;
    } catch (error) {
      this.#up = false;
      this.#options.logger.warn({ err: error }, 'the shared store is away, answers come from memory');
      return null;
    }
  }

  async #recover(): Promise<void> {
    const { shared, leaseMs, logger } = this.#options;
    if (shared === undefined || this.#shared === null || this.#up) return;
    try {
      const knows = await shared.check();
      this.#clock.set(await shared.now());
      await shared.renew(this.#options.owners(), this.#clock.now() + leaseMs);
      if (!knows) this.#keepAll();
      const count = this.#pending.size;
      await this.#catchUp(this.#shared);
      this.#patientUntil = this.#clock.now() + leaseMs;
      this.#up = true;
      logger.info({ written: count }, 'the shared store answers');
    } catch (error) {
      logger.debug({ err: error }, 'the shared store is still away');
    }
  }

  /** Writes the kept requests to the store. When it resolves none is left, not even a new one. */
  async #catchUp(shared: Presence): Promise<null> {
    for (const [key, kept] of this.#pending) {
      await shared.handle(kept.request, kept.owner);
      if (this.#pending.get(key) === kept) this.#pending.delete(key);
    }
    return null;
  }

  #keep(kept: KeptRequest): void {
    const key = keyOf(kept.request);
    this.#pending.delete(key);
    this.#pending.set(key, kept);
    if (this.#pending.size <= MAX_PENDING) return;
    for (const oldest of this.#pending.keys()) {
      this.#pending.delete(oldest);
      return;
    }
  }

  /**
   * Keeps a request for everything in the copy. Requests that are kept already stay the last ones.
   */
  #keepAll(): void {
    const later = [...this.#pending.values()];
    // In the order of entering voice channels, in which the store lists users again.
    for (const [user, entry] of this.#memory.all().toSorted(([, a], [, b]) => a.since - b.since)) {
      for (const [session, { owner }] of Object.entries(entry.sessions)) {
        this.#keep({ request: { type: 'login', session, user }, owner });
      }
      const { voice, place } = entry;
      // To enter a voice channel also changes the place, so the place follows.
      if (voice !== null) this.#keep({ request: { type: 'enter', user, voice }, owner: '' });
      if (voice === null || placeOfVoice(voice) !== place) {
        this.#keep({ request: { type: 'state', user, place }, owner: '' });
      }
    }
    for (const kept of later) this.#keep(kept);
  }
}

/**
 * The request to write when the store is back; null when there is nothing to write. The store may
 * still have the user in an earlier voice channel, so a user who is in none now leaves any.
 */
function changeOf(request: PresenceRequest, { changed }: Answer): ChangingRequest | null {
  if (request.type === 'looking' || request.type === 'before-enter') return null;
  const entry = request.type === 'leave' ? changed.get(request.user) : null;
  if (request.type !== 'leave' || entry === undefined || entry === null) return request;
  return entry.voice === null ? { ...request, voice: null } : null;
}

/** Of the requests with one key, the last one counts. */
function keyOf(request: ChangingRequest): string {
  switch (request.type) {
    case 'login':
    case 'logout':
      return `session ${request.session}`;
    case 'state':
      return `place ${request.user}`;
    case 'enter':
    case 'leave':
      return `voice ${request.user}`;
  }
}
