import type { Topic } from '../../domain/audience.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Caller } from '../caller.ts';
import type { Membership } from '../membership.ts';
import type { Roster } from '../roster.ts';

/** Which members of a room, channel or community have a session somewhere. */
export class ShowOnline {
  readonly #membership: Membership;
  readonly #roster: Roster;

  constructor(parts: { membership: Membership; roster: Roster }) {
    this.#membership = parts.membership;
    this.#roster = parts.roster;
  }

  async execute(caller: Caller, { topic }: { topic: Topic }): Promise<readonly UserId[]> {
    await this.#membership.requireTopic(caller, topic);
    const members = await this.#membership.members(topic);
    return [...members].filter((user) => this.#roster.isOnline(user)).sort((a, b) => a - b);
  }
}
