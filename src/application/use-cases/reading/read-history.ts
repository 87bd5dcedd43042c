import { Refusal } from '../../../domain/errors.ts';
import type { HistoryEntry, HistoryRange } from '../../../domain/history.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import type { ShownHistory } from '../../application.ts';
import type { Caller } from '../../commands.ts';
import type { Limits } from '../../limits.ts';
import type { Membership } from '../../membership/membership.ts';
import type { MessageStore } from '../../ports/message-store.ts';
import type { UserDirectory } from '../../ports/user-directory.ts';

/** A part of a conversation's history, for its members. */
export class ReadHistory {
  readonly #membership: Membership;
  readonly #store: MessageStore;
  readonly #users: UserDirectory;
  readonly #limits: Limits;

  constructor(parts: { membership: Membership; store: MessageStore; users: UserDirectory; limits: Limits }) {
    this.#membership = parts.membership;
    this.#store = parts.store;
    this.#users = parts.users;
    this.#limits = parts.limits;
  }

  async execute(
    caller: Caller,
    { place, range }: { place: ConversationKey; range: HistoryRange },
  ): Promise<ShownHistory> {
    if (range.size < 1 || range.size > this.#limits.pageSize) {
      throw new Refusal('bad-input', `a page has 1 to ${this.#limits.pageSize} entries`);
    }
    await this.#membership.require(caller, place, null);
    const page = await this.#store.history(place, range);
    const nameless = namesWanted(page.entries, this.#users.authoritative);
    const profiles = nameless.length === 0 ? new Map() : await this.#users.profiles(nameless);
    return { ...page, profiles };
  }
}

/** Users whose names have to be looked up: all where a user service decides, else those whose messages were stored without one. */
function namesWanted(entries: readonly HistoryEntry[], all: boolean): UserId[] {
  const users = new Set<UserId>();
  for (const { message, parent } of entries) {
    if (all || message.name === null) users.add(message.userId);
    if (parent !== null && (all || parent.name === null)) users.add(parent.userId);
  }
  return [...users];
}
