import type { UserId } from '../../../domain/ids.ts';
import type { PlaceKey } from '../../../domain/place.ts';
import type { Caller } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Announcer } from '../../presence/announcer.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';

export interface ShowOnlineParts {
  readonly membership: Membership;
  readonly clusterSessions: ClusterSessions;
  readonly announcer: Announcer;
}

/**
 * Lists the members of a room, channel or community who are online on any server, by ascending id.
 */
export class ShowOnline {
  readonly #parts: ShowOnlineParts;

  constructor(parts: ShowOnlineParts) {
    this.#parts = parts;
  }

  /** Rejects with Refusal `not-permitted` or `try-again`. */
  async execute(caller: Caller, { place }: { readonly place: PlaceKey }): Promise<readonly UserId[]> {
    const { membership } = this.#parts;
    await membership.require(caller, place);
    const members = await membership.members(place);
    return [...members].filter((userId) => this.#isOnline(userId)).sort((a, b) => a - b);
  }

  #isOnline(userId: UserId): boolean {
    const { clusterSessions, announcer } = this.#parts;
    // A user in the grace period still counts as online. If they return in time, no `connect` event
    // is sent.
    return clusterSessions.isOnline(userId) || announcer.isInGracePeriod(userId);
  }
}
