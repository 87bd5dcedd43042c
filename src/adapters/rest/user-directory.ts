import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { UserDirectory, UserProfile } from '../../application/ports/user-directory.ts';
import { parseId, type UserId } from '../../domain/ids.ts';
import { withTimeout } from '../support/with-timeout.ts';
import type { RestService } from './rest-service.ts';

export interface RestUserDirectoryOptions {
  /** A profile up to this age, in milliseconds, is returned without a call. Default: 60,000. */
  readonly freshMs?: number;
  /**
   * A profile up to this age, in milliseconds, is returned and read again in the background.
   * Default: 120,000.
   */
  readonly staleMs?: number;
  /** An unknown user is asked for again after this time, in milliseconds. Default: 5,000. */
  readonly unknownMs?: number;
  /** Timeout of `profiles`, in milliseconds. Default: 300. */
  readonly timeoutMs?: number;
  /** Profiles kept. Default: 100,000. */
  readonly maxProfiles?: number;
  /** Ids in one call. Default: 500. */
  readonly maxBatch?: number;
  /** Milliseconds of a clock that never goes back. Default: the process's own. */
  readonly now?: () => number;
}

/** An answer of the service about one user. */
interface CachedProfile {
  /** Null: the service does not know the user. */
  readonly profile: UserProfile | null;
  readonly readAt: number;
}

/** Ids that are gathered for one call, and the promise of its end. */
interface Batch {
  readonly ids: UserId[];
  readonly answered: Promise<void>;
}

const ANSWER = z.object({ result: z.record(z.string(), z.unknown()) });
const PROFILE = z.object({ name: z.string(), image: z.string().nullish() });

/** Reads names and pictures from the user service. Questions that come together are one call. */
export class RestUserDirectory implements UserDirectory {
  readonly authoritative = true;
  readonly #service: RestService;
  readonly #options: Required<RestUserDirectoryOptions>;
  readonly #cache: LRUCache<UserId, CachedProfile>;
  /** Users whose profiles are being read, and the promise of the end of that call. */
  readonly #reading = new Map<UserId, Promise<void>>();
  /** The batch that still takes ids. */
  #batch: Batch | undefined;

  constructor(service: RestService, options: RestUserDirectoryOptions = {}) {
    this.#service = service;
    this.#options = {
      freshMs: options.freshMs ?? 60_000,
      staleMs: options.staleMs ?? 120_000,
      unknownMs: options.unknownMs ?? 5_000,
      timeoutMs: options.timeoutMs ?? 300,
      maxProfiles: options.maxProfiles ?? 100_000,
      maxBatch: options.maxBatch ?? 500,
      now: options.now ?? (() => performance.now()),
    };
    this.#cache = new LRUCache({ max: this.#options.maxProfiles });
  }

  async profiles(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, UserProfile>> {
    const missing = new Set<Promise<void>>();
    for (const id of ids) {
      const age = this.#ageOf(id);
      if (age === 'fresh') continue;
      const reading = this.#read(id);
      if (age === 'old') missing.add(reading);
    }
    if (missing.size > 0 && !this.#service.isDown) await this.#answered(missing);
    const found = new Map<UserId, UserProfile>();
    for (const id of ids) {
      const profile = this.#cache.get(id)?.profile;
      if (profile) found.set(id, profile);
    }
    return found;
  }

  cached(id: UserId): UserProfile | undefined {
    const age = this.#ageOf(id);
    if (age !== 'fresh') void this.#read(id);
    if (age === 'old' && !this.#service.isDown) return undefined;
    return this.#cache.get(id)?.profile ?? undefined;
  }

  forget(id: UserId): void {
    this.#cache.delete(id);
  }

  /** `old`: not in the cache, or too old to be returned unless the service is down. */
  #ageOf(id: UserId): 'fresh' | 'stale' | 'old' {
    const cached = this.#cache.get(id);
    if (cached === undefined) return 'old';
    const { freshMs, staleMs, unknownMs, now } = this.#options;
    const age = now() - cached.readAt;
    if (cached.profile === null) return age < unknownMs ? 'fresh' : 'old';
    return age < freshMs ? 'fresh' : age < staleMs ? 'stale' : 'old';
  }

  /** Resolves when the service has answered about this user or failed. Never rejects. */
  #read(id: UserId): Promise<void> {
    const reading = this.#reading.get(id);
    if (reading !== undefined) return reading;
    if (this.#service.isDown) return Promise.resolve();
    if (this.#batch === undefined || this.#batch.ids.length >= this.#options.maxBatch) this.#batch = this.#openBatch();
    const { ids, answered } = this.#batch;
    ids.push(id);
    this.#reading.set(id, answered);
    return answered;
  }

  /** A batch that is sent when the input that is at hand has been handled. */
  #openBatch(): Batch {
    const ids: UserId[] = [];
    const answered = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      if (this.#batch?.ids === ids) this.#batch = undefined;
      return this.#send(ids);
    });
    return { ids, answered };
  }

  async #send(ids: readonly UserId[]): Promise<void> {
    try {
      const { status, json } = await this.#service.call({
        method: 'POST',
        path: '/find-id-list',
        body: ids,
        isRepeatable: true,
      });
      const read = ANSWER.safeParse(json);
      if (status >= 300 || !read.success) return;
      const profiles = readProfiles(read.data.result);
      const readAt = this.#options.now();
      for (const id of ids) this.#cache.set(id, { profile: profiles.get(id) ?? null, readAt });
    } catch {
      // The service reports by itself that it is down. The cached profiles stay.
    } finally {
      for (const id of ids) this.#reading.delete(id);
    }
  }

  /** Resolves when all calls have ended, at the latest after the timeout. */
  async #answered(calls: Iterable<Promise<void>>): Promise<void> {
    const timeoutError = () => new Error('no profiles in time');
    await withTimeout(this.#options.timeoutMs, Promise.all(calls), timeoutError).catch(() => undefined);
  }
}

/** The valid profiles of an answer. A user with a profile of another form counts as unknown. */
function readProfiles(result: Readonly<Record<string, unknown>>): Map<UserId, UserProfile> {
  const profiles = new Map<UserId, UserProfile>();
  for (const [key, value] of Object.entries(result)) {
    const id = parseId(key);
    const read = PROFILE.safeParse(value);
    if (id !== null && read.success) profiles.set(id, { name: read.data.name, image: read.data.image ?? null });
  }
  return profiles;
}
