import type { UserId } from '../../../domain/ids.ts';
import type { MemberListKey } from '../../../domain/place.ts';
import type { Broadcast } from '../../broadcast.ts';
import type { MemberLists } from '../../membership/member-lists.ts';

export interface ReplaceMembersParts {
  readonly lists: MemberLists;
  readonly broadcast: Broadcast;
}

/**
 * Applies the new member list of a room or community that the community service reports: here, in
 * the shared cache and on the other servers.
 */
export class ReplaceMembers {
  readonly #parts: ReplaceMembersParts;

  constructor(parts: ReplaceMembersParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the cache has the list and the bus has taken it, or either gave up. Never
   * rejects.
   */
  async execute(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    const { lists, broadcast } = this.#parts;
    const distinct = [...new Set(members)];
    await lists.replace(place, distinct);
    await broadcast.send({ kind: 'members-changed', place, members: distinct });
  }
}
