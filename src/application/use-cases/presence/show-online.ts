import type { UserId } from '../../../domain/ids.ts';
import type { PlaceKey } from '../../../domain/place.ts';
import type { Caller } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Announcer } from '../../presence/announcer.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';

/** Which members of a room, channel or community have a session somewhere. */
export class ShowOnline {
  readonly #membership: Membership;
  readonly #clusterSessions: ClusterSessions;
  readonly #announcer: Announcer;

  constructor(parts: { membership: Membership; clusterSessions: ClusterSessions; announcer: Announcer }) {
    this.#membership = parts.membership;
    this.#clusterSessions = parts.clusterSessions;
    this.#announcer = parts.announcer;
  }

  async execute(caller: Caller, { place }: { place: PlaceKey }): Promise<readonly UserId[]> {
    await this.#membership.require(caller, place);
    const members = await this.#membership.members(place);
    // Whom nobody was told to be gone is here: whoever asks in between would hear of his return no more.
    const isHere = (user: UserId): boolean => this.#clusterSessions.isOnline(user) || this.#announcer.isLeaving(user);
    return [...members].filter(isHere).sort((a, b) => a - b);
  }
}
