import type { UserId } from '../../domain/ids.ts';

/** `R5` for a room, `CH1` for a community: the keys that the neighbours know too. */
export type MemberCacheKey = `R${number}` | `CH${number}`;

/**
 * Members of rooms and communities, shared by all servers, kept for 14 days after they were put. A cache that is down acts as an empty one:
 * `get` resolves to null, `put` and `add` do nothing, within a short bound; neither rejects.
 */
export interface MemberCache {
  get(key: MemberCacheKey): Promise<readonly UserId[] | null>;
  put(key: MemberCacheKey, members: readonly UserId[]): Promise<void>;
  /** As `put`, but does nothing where there is a list already, whoever put it. */
  add(key: MemberCacheKey, members: readonly UserId[]): Promise<void>;
  remove(key: MemberCacheKey): Promise<void>;
}
