import type { UserId } from '../../domain/ids.ts';

/** The number of sessions of each user. */
export class SessionCounts {
  readonly #counts = new Map<UserId, number>();

  /** Counts one session more. Returns true when it is the user's first. */
  add(userId: UserId): boolean {
    const before = this.of(userId);
    this.#counts.set(userId, before + 1);
    return before === 0;
  }

  /** Counts one session less. Returns true when it was the user's last. */
  remove(userId: UserId): boolean {
    const after = this.of(userId) - 1;
    if (after > 0) {
      this.#counts.set(userId, after);
      return false;
    }
    return this.#counts.delete(userId);
  }

  /** The number of users with a session. */
  get users(): number {
    return this.#counts.size;
  }

  of(userId: UserId): number {
    return this.#counts.get(userId) ?? 0;
  }
}
