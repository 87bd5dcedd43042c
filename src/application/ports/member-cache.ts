import type { UserId } from '../../domain/ids.ts';
import type { MemberListKey } from '../../domain/place.ts';

/**
 * Members of rooms and communities, shared by all servers, kept for 14 days after they were put. A cache that is down acts as an empty one:
 * `get` resolves to null, `put` and `add` do nothing, within a short bound; neither rejects.
 */
export interface MemberCache {
  get(place: MemberListKey): Promise<readonly UserId[] | null>;
  put(place: MemberListKey, members: readonly UserId[]): Promise<void>;
  /** As `put`, but does nothing where there is a list already, whoever put it. */
  add(place: MemberListKey, members: readonly UserId[]): Promise<void>;
}
