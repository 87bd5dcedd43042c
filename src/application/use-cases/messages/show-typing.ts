import type { TypingShown } from '../../../domain/chat-event.ts';
import { MAX_NAME_CHARS, nameOrId } from '../../../domain/message-rules.ts';
import { firstChars } from '../../../domain/text.ts';
import type { Typing } from '../../application.ts';
import type { Broadcast } from '../../broadcast.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Restrictions } from '../../moderation/restrictions.ts';
import type { LocalSubscribers } from '../../ports/local-subscribers.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { UserDirectory } from '../../ports/user-directory.ts';
import type { Rates } from '../../rates.ts';

export interface ShowTypingParts {
  readonly membership: Membership;
  readonly rates: Rates;
  readonly restrictions: Restrictions;
  readonly subscribers: LocalSubscribers;
  readonly broadcast: Broadcast;
  readonly users: UserDirectory;
  readonly telemetry: Telemetry;
}

/**
 * Shows the members of a conversation that the caller is typing. Nothing is stored. A notice that
 * comes too soon after the last one is dropped and counted, not refused.
 */
export class ShowTyping {
  readonly #parts: ShowTypingParts;

  constructor(parts: ShowTypingParts) {
    this.#parts = parts;
  }

  execute(caller: Caller, { place, communityId, name }: Typing): MaybePromise<Accepted<void>> {
    const { membership, rates, restrictions, telemetry } = this.#parts;
    restrictions.refuseWriting(caller.userId, place);
    return whenReady(membership.require(caller, place, communityId), () => {
      if (rates.typing(caller.userId, place)) this.#show({ kind: 'typing', place, name: this.#nameOf(caller, name) });
      else telemetry.count('typing_dropped');
      return { result: Promise.resolve() };
    });
  }

  #show(event: TypingShown): void {
    this.#parts.subscribers.deliver(event.place, event);
    void this.#parts.broadcast.send(event);
  }

  #nameOf({ userId }: Caller, claimed: string): string {
    const { users } = this.#parts;
    const known = users.authoritative ? users.cached(userId)?.name : undefined;
    return firstChars(known ?? nameOrId(claimed, null, userId), MAX_NAME_CHARS);
  }
}
