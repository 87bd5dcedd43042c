import type { UserId } from '../../domain/ids.ts';

export interface UserProfile {
  readonly name: string;
  readonly image: string | null;
}

/**
 * Names and pictures by the word of the user service. Implementations keep what they hear for a minute and answer from that, stale entries
 * included, while the service is away; unknown users are left out. Never rejects, and resolves within a short bound.
 */
export interface UserDirectory {
  /** True where a user service decides names: what a client says of itself is then not believed. */
  readonly authoritative: boolean;
  profiles(ids: readonly UserId[]): Promise<ReadonlyMap<UserId, UserProfile>>;
  /** What is known of a user without asking anybody; undefined when he has to be asked for. */
  cached(id: UserId): UserProfile | undefined;
}
