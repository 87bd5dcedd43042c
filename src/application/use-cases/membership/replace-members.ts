import type { UserId } from '../../../domain/ids.ts';
import type { MemberListKey } from '../../../domain/place.ts';
import type { Broadcast } from '../../broadcast.ts';
import type { Membership } from '../../membership/membership.ts';

/** The community service tells a room's or community's new members: kept for all servers, told to all, and whoever is gone hears nothing more. */
export class ReplaceMembers {
  readonly #membership: Membership;
  readonly #broadcast: Broadcast;

  constructor(parts: { membership: Membership; broadcast: Broadcast }) {
    this.#membership = parts.membership;
    this.#broadcast = parts.broadcast;
  }

  async execute(place: MemberListKey, members: readonly UserId[]): Promise<void> {
    const distinct = [...new Set(members)];
    await this.#membership.replace(place, distinct);
    await this.#broadcast.send({ kind: 'members-changed', place, members: distinct });
  }
}
