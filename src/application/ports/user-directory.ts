import type { UserId } from '../../domain/ids.ts';

export interface UserProfile {
  readonly name: string;
  /** The address of a picture; null for none. */
  readonly image: string | null;
}

/**
 * Names and pictures of users, according to the user service. All texts are well-formed Unicode.
 *
 * Freshness: an adapter may keep answers. Within about two minutes it returns a changed profile.
 * While the service cannot be reached it returns the last known profiles, however old. Errors: no
 * method rejects or throws, and each promise resolves within the adapter's timeout; profiles that
 * did not arrive by then are left out. Close: by the owner of the adapter.
 */
export interface UserDirectory {
  /**
   * True if a user service decides the names: a name that a client sends then has no effect. It
   * never changes.
   */
  readonly authoritative: boolean;
  /** The profiles of those users who are known. */
  profiles(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, UserProfile>>;
  /**
   * The profile if it is at hand. Otherwise undefined, and the adapter may read it in the
   * background.
   */
  cached(id: UserId): UserProfile | undefined;
  /** Drops what the adapter keeps of a user who is erased. */
  forget(id: UserId): void;
}
