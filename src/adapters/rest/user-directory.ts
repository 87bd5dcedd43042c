import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { UserDirectory, UserProfile } from '../../application/ports/user-directory.ts';
import { parseId, type UserId } from '../../domain/ids.ts';
import type { RestService } from './rest-service.ts';

export interface RestUserDirectoryOptions {
  /** Age (ms) up to which a profile is given without asking; default 60 s. */
  readonly freshMs?: number;
  /** Age (ms) up to which it is given while it is asked for anew in the background; default 120 s. */
  readonly staleMs?: number;
  /** How long (ms) an unknown user is not asked for again; default 5 s. */
  readonly unknownMs?: number;
  /** Bound (ms) of `profiles`; default 300. */
  readonly timeoutMs?: number;
  /** Profiles kept; default 100,000. */
  readonly max?: number;
  /** Ids of one call at most; default 500. */
  readonly batch?: number;
  readonly now?: () => number;
}

interface Known {
  /** Null: the service does not know the user. */
  readonly profile: UserProfile | null;
  readonly at: number;
}

const ANSWER = z.object({ result: z.record(z.string(), z.unknown()) });
const PROFILE = z.object({ name: z.string(), image: z.string().nullish() });

/** Names and pictures by the user service, asked for many users in one call. */
export class RestUserDirectory implements UserDirectory {
  readonly authoritative = true;
  readonly #service: RestService;
  readonly #options: Required<RestUserDirectoryOptions>;
  readonly #known: LRUCache<UserId, Known>;
  /** Ids being asked for. */
  readonly #asking = new Map<UserId, Promise<void>>();
  #gathering: { readonly ids: UserId[]; readonly answered: Promise<void> } | undefined;

  constructor(service: RestService, options: RestUserDirectoryOptions = {}) {
    this.#service = service;
    this.#options = {
      freshMs: options.freshMs ?? 60_000,
      staleMs: options.staleMs ?? 120_000,
      unknownMs: options.unknownMs ?? 5_000,
      timeoutMs: options.timeoutMs ?? 300,
      max: options.max ?? 100_000,
      batch: options.batch ?? 500,
      now: options.now ?? Date.now,
    };
    this.#known = new LRUCache({ max: this.#options.max });
  }

  async profiles(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, UserProfile>> {
    const missing = new Set<Promise<void>>();
    for (const id of ids) {
      const state = this.#stateOf(id);
      if (state === 'fresh') continue;
      const asked = this.#ask(id);
      if (state === 'old') missing.add(asked);
    }
    if (missing.size > 0 && !this.#service.isDown) await this.#within(Promise.all(missing));
    const found = new Map<UserId, UserProfile>();
    for (const id of ids) {
      const profile = this.#known.get(id)?.profile;
      if (profile) found.set(id, profile);
    }
    return found;
  }

  cached(id: UserId): UserProfile | undefined {
    const state = this.#stateOf(id);
    if (state !== 'fresh') void this.#ask(id);
    if (state === 'old' && !this.#service.isDown) return undefined;
    return this.#known.get(id)?.profile ?? undefined;
  }

  /** `old`: too old to be given unless the service is away, or not known at all. */
  #stateOf(id: UserId): 'fresh' | 'stale' | 'old' {
    const known = this.#known.get(id);
    if (known === undefined) return 'old';
    const { freshMs, staleMs, unknownMs, now } = this.#options;
    const age = now() - known.at;
    if (known.profile === null) return age < unknownMs ? 'fresh' : 'old';
    return age < freshMs ? 'fresh' : age < staleMs ? 'stale' : 'old';
  }

  /** Resolves when the service has answered or failed. */
  #ask(id: UserId): Promise<void> {
    const asking = this.#asking.get(id);
    if (asking !== undefined) return asking;
    if (this.#service.isDown) return Promise.resolve();
    if (this.#gathering === undefined || this.#gathering.ids.length >= this.#options.batch) this.#gather();
    const gathering = this.#gathering;
    if (gathering === undefined) return Promise.resolve();
    gathering.ids.push(id);
    this.#asking.set(id, gathering.answered);
    return gathering.answered;
  }

  /** Opens a new batch, which goes out once the input at hand was handled. */
  #gather(): void {
    const ids: UserId[] = [];
    const answered = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.#gathering?.ids === ids) this.#gathering = undefined;
      return this.#fetch(ids);
    });
    this.#gathering = { ids, answered };
  }

  async #fetch(ids: readonly UserId[]): Promise<void> {
    try {
      const { status, json } = await this.#service.call({
        method: 'POST',
        path: '/find-id-list',
        body: ids,
        isRepeatable: true,
      });
      const read = ANSWER.safeParse(json);
      if (status >= 300 || !read.success) return;
      const profiles = new Map<UserId, UserProfile>();
      for (const [key, value] of Object.entries(read.data.result)) {
        const id = parseId(key);
        const profile = PROFILE.safeParse(value);
        if (id !== null && profile.success)
          profiles.set(id, { name: profile.data.name, image: profile.data.image ?? null });
      }
      const at = this.#options.now();
      for (const id of ids) this.#known.set(id, { profile: profiles.get(id) ?? null, at });
    } catch {
      // The service is away, which it says itself; what is known stands.
    } finally {
      for (const id of ids) this.#asking.delete(id);
    }
  }

  async #within(asked: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.timeoutMs);
    await Promise.race([asked, promise]);
    clearTimeout(timer);
  }
}
