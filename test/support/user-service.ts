import type { UserDirectory, UserProfile } from '../../src/application/ports/user-directory.ts';
import type { UserId } from '../../src/domain/ids.ts';

/**
 * A user service that decides all names. It knows a profile without a request only after `profiles`
 * was asked for it.
 */
export class TestUserService implements UserDirectory {
  readonly authoritative = true;
  readonly #profiles: ReadonlyMap<UserId, UserProfile>;
  readonly #cached = new Map<UserId, UserProfile>();

  constructor(profiles: Readonly<Record<UserId, UserProfile>>) {
    this.#profiles = new Map(Object.entries(profiles).map(([id, profile]) => [Number(id), profile]));
  }

  async profiles(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, UserProfile>> {
    for (const id of ids) {
      const profile = this.#profiles.get(id);
      if (profile !== undefined) this.#cached.set(id, profile);
    }
    return new Map([...this.#cached].filter(([id]) => ids.includes(id)));
  }

  cached(id: UserId): UserProfile | undefined {
    return this.#cached.get(id);
  }

  forget(id: UserId): void {
    this.#cached.delete(id);
  }
}
