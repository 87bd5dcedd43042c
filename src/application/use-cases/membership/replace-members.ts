import type { UserId } from '../../../domain/ids.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Publisher } from '../../ordering/publisher.ts';

/** The community service tells a room's or community's new members: kept for all servers, told to all, and whoever is gone hears nothing more. */
export class ReplaceMembers {
  readonly #membership: Membership;
  readonly #publisher: Publisher;

  constructor(parts: { membership: Membership; publisher: Publisher }) {
    this.#membership = parts.membership;
    this.#publisher = parts.publisher;
  }

  async execute(kind: 'room' | 'community', id: number, members: readonly UserId[]): Promise<void> {
    const distinct = [...new Set(members)];
    await this.#membership.replace(kind, id, distinct);
    await this.#publisher.transient({ kind: 'members-changed', of: { kind, id }, members: distinct });
  }
}
