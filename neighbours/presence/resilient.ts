import type { Logger } from 'pino';
import { type PresenceRequest, placeOfVoice } from './codec.ts';
import { LeaseClock } from './lease-clock.ts';
import { type Answer, Presence } from './presence.ts';
import type { PresenceStore } from './store.ts';
import { MemoryStore } from './store-memory.ts';

/**
 * A shared store after an outage:
 *
 * - `same`: it is the one of before, with all writes
 * - `restarted`: it was started again, or a replica took its place. It may lack the last writes.
 * - `empty`: it has lost all data
 */
export type StoreState = 'same' | 'restarted' | 'empty';

/** A store that several processes share. */
export interface SharedStore extends PresenceStore {
  /** Compares the store with the one of the last call. Rejects when it does not answer in time. */
  check(): Promise<StoreState>;
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
 * Age up to which the store may lose a change that it has accepted, when it is killed. Redis writes
 * to its file once a second, and up to two seconds later while the disk is busy.
 */
const UNSAFE_MS = 5_000;

/**
 * Presence over a shared store that may be away. Meanwhile it answers from its own copy, which
 * holds what this process has received. When the store is back, it writes the changes: the last one
 * of each session, and of each user's place and voice channel. To a store that was started again it
 * also writes the changes of the last seconds before the outage, and to a store that has lost its
 * data everything. Never rejects.
 */
export class ResilientPresence {
  readonly #options: ResilientOptions;
  readonly #memory = new MemoryStore();
  readonly #clock = new LeaseClock();
  readonly #local: Presence;
  readonly #shared: Presence | null;
  readonly #pending = new Map<string, KeptRequest>();
  /** The last changes that the store accepted, and the monotonic time. The newest is the last. */
  readonly #unsafe = new Map<string, KeptRequest & { readonly at: number }>();
  /** Requests that the shared store has not answered yet. */
  readonly #asked = new Set<Promise<unknown>>();
  #up = false;
  /** The worst state of the store that was seen since the last changes were written to it. */
  #found: StoreState = 'same';
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
    if (answer !== null) {
      const stored = changeOf(request, answer);
      if (stored !== null) this.#noteUnsafe({ request: stored, owner });
      return answer;
    }
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
    await this.#notice();
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

  /** Finds a store that was started again although no request has failed meanwhile. */
  async #notice(): Promise<void> {
    const { shared, logger } = this.#options;
    if (shared === undefined || !this.#up) return;
    try {
      const state = await shared.check();
      if (state === 'same') return;
      this.#found = worse(this.#found, state);
      logger.warn({ state }, 'the shared store was started again');
    } catch (error) {
      logger.warn({ err: error }, 'the shared store is away, answers come from memory');
    }
    this.#up = false;
  }

  async #viaShared(ask: (shared: Presence) => Promise<Answer | null>): Promise<Answer | null> {
    if (this.#shared === null || !this.#up) return null;
    const asked = ask(this.#shared);
    const settled = asked.then(
      () => {},
      () => {},
    );
    this.#asked.add(settled);
    try {
      const answer = await asked;
      for (const [user, entry] of answer?.changed ?? []) {
        this.#memory.put(user, entry, this.#clock.now() + this.#options.leaseMs);
      }
      return answer;
    } catch (error) {
      this.#up = false;
      this.#options.logger.warn({ err: error }, 'the shared store is away, answers come from memory');
      return null;
    } finally {
      this.#asked.delete(settled);
    }
  }

  async #recover(): Promise<void> {
    const { shared, leaseMs, logger } = this.#options;
    if (shared === undefined || this.#shared === null || this.#up) return;
    try {
      const state = worse(this.#found, await shared.check());
      this.#found = state;
      // A late answer must not be followed by an earlier change of the same session.
      await Promise.all(this.#asked);
      this.#clock.set(await shared.now());
      await shared.renew(this.#options.owners(), this.#clock.now() + leaseMs);
      if (state === 'restarted') this.#keepBefore([...this.#unsafe.values()]);
      if (state === 'empty') this.#keepBefore(this.#everything());
      this.#unsafe.clear();
      this.#found = 'same';
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

  #noteUnsafe(kept: KeptRequest): void {
    const at = performance.now();
    const key = keyOf(kept.request);
    this.#unsafe.delete(key);
    this.#unsafe.set(key, { ...kept, at });
    for (const [oldest, { at: since }] of this.#unsafe) {
      if (at - since <= UNSAFE_MS && this.#unsafe.size <= MAX_PENDING) return;
      this.#unsafe.delete(oldest);
    }
  }

  /** Keeps requests in front of those that are kept already, which stay the last ones. */
  #keepBefore(earlier: readonly KeptRequest[]): void {
    const later = [...this.#pending.values()];
    for (const kept of [...earlier, ...later]) this.#keep(kept);
  }

  /** Requests for everything in the copy. */
  #everything(): KeptRequest[] {
    const all: KeptRequest[] = [];
    // In the order of entering voice channels, in which the store lists users again.
    for (const [user, entry] of this.#memory.all().toSorted(([, a], [, b]) => a.since - b.since)) {
      for (const [session, { owner }] of Object.entries(entry.sessions)) {
        all.push({ request: { type: 'login', session, user }, owner });
      }
      const { voice, place } = entry;
      // To enter a voice channel also changes the place, so the place follows.
      if (voice !== null) all.push({ request: { type: 'enter', user, voice }, owner: '' });
      if (voice === null || placeOfVoice(voice) !== place) {
        all.push({ request: { type: 'state', user, place }, owner: '' });
      }
    }
    return all;
  }
}

function worse(a: StoreState, b: StoreState): StoreState {
  if (a === 'empty' || b === 'empty') return 'empty';
  return a === 'restarted' || b === 'restarted' ? 'restarted' : 'same';
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
