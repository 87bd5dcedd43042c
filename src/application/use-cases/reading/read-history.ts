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

export interface ReadHistoryParts {
  readonly membership: Membership;
  readonly store: MessageStore;
  readonly users: UserDirectory;
  readonly limits: Limits;
}

/** Reads a part of a conversation's history for a member, with the names of the authors. */
export class ReadHistory {
  readonly #parts: ReadHistoryParts;

  constructor(parts: ReadHistoryParts) {
    this.#parts = parts;
  }

  async execute(
    caller: Caller,
    { place, range }: { place: ConversationKey; range: HistoryRange },
  ): Promise<ShownHistory> {
    const { membership, store, users, limits } = this.#parts;
    if (range.size < 1 || range.size > limits.pageSize) {
      throw new Refusal('bad-input', `size is ${range.size}; it must be from 1 to ${limits.pageSize}`);
    }
    await membership.require(caller, place, null);
    const page = await store.history(place, range);
    const wanted = usersToLookUp(page.entries, users.authoritative);
    const profiles = wanted.length === 0 ? new Map() : await users.profiles(wanted);
    return { ...page, profiles };
  }
}

/**
 * The users whose profiles are needed: all of them where a user service decides names, otherwise
 * those without a stored name.
 */
function usersToLookUp(entries: readonly HistoryEntry[], all: boolean): UserId[] {
  const users = new Set<UserId>();
  for (const { message, parent } of entries) {
    if (all || message.name === null) users.add(message.userId);
    if (parent !== null && (all || parent.name === null)) users.add(parent.userId);
  }
  return [...users];
}
