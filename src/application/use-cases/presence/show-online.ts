import type { Topic } from '../../../domain/audience.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { Caller } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Announcer } from '../../presence/announcer.ts';
import type { Roster } from '../../presence/cluster-sessions.ts';

/** Which members of a room, channel or community have a session somewhere. */
export class ShowOnline {
  readonly #membership: Membership;
  readonly #roster: Roster;
  readonly #announcer: Announcer;

  constructor(parts: { membership: Membership; roster: Roster; announcer: Announcer }) {
    this.#membership = parts.membership;
    this.#roster = parts.roster;
    this.#announcer = parts.announcer;
  }

  async execute(caller: Caller, { topic }: { topic: Topic }): Promise<readonly UserId[]> {
    await this.#membership.requireTopic(caller, topic);
    const members = await this.#membership.members(topic);
    // Whom nobody was told to be gone is here: whoever asks in between would hear of his return no more.
    const isHere = (user: UserId): boolean => this.#roster.isOnline(user) || this.#announcer.isLeaving(user);
    return [...members].filter(isHere).sort((a, b) => a - b);
  }
}
