import type { UserDirectory, UserProfile } from '../../application/ports/user-directory.ts';
import type { UserId } from '../../domain/ids.ts';
import type { MemoryDirectory } from './directory.ts';

/**
 * Reads names and pictures from a small world in memory. A name that a client sends takes
 * precedence.
 */
export class MemoryUserDirectory implements UserDirectory {
  readonly authoritative = false;
  readonly #directory: MemoryDirectory;

  constructor(directory: MemoryDirectory) {
    this.#directory = directory;
  }

  async profiles(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, UserProfile>> {
    const found = new Map<UserId, UserProfile>();
    for (const id of ids) {
      const profile = this.#directory.user(id);
      if (profile !== undefined) found.set(id, profile);
    }
    return found;
  }

  cached(id: UserId): UserProfile | undefined {
    return this.#directory.user(id);
  }

  /** The directory is the source of the names, not a copy. It stays as it is. */
  forget(): void {}
}
