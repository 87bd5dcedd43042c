import type { TypingShown } from '../../../domain/chat-event.ts';
import type { Typing } from '../../application.ts';
import type { Broadcast } from '../../broadcast.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { LocalSubscribers } from '../../ports/local-subscribers.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { UserDirectory } from '../../ports/user-directory.ts';
import type { Rates } from '../../rates.ts';

const NAME_CHARS = 200;

/** Shows that somebody is writing. Never stored; too many are dropped without a word, nobody misses them. */
export class ShowTyping {
  readonly #membership: Membership;
  readonly #rates: Rates;
  readonly #subscribers: LocalSubscribers;
  readonly #broadcast: Broadcast;
  readonly #users: UserDirectory;
  readonly #telemetry: Telemetry;

  constructor(parts: {
    membership: Membership;
    rates: Rates;
    subscribers: LocalSubscribers;
    broadcast: Broadcast;
    users: UserDirectory;
    telemetry: Telemetry;
  }) {
    this.#membership = parts.membership;
    this.#rates = parts.rates;
    this.#subscribers = parts.subscribers;
    this.#broadcast = parts.broadcast;
    this.#users = parts.users;
    this.#telemetry = parts.telemetry;
  }

  execute(caller: Caller, { place, communityId, name }: Typing): MaybePromise<Accepted<void>> {
    return whenReady(this.#membership.require(caller, place, communityId), () => {
      if (this.#rates.typing(caller.userId, place))
        this.#show({ kind: 'typing', place, name: this.#nameOf(caller, name) });
      else this.#telemetry.count('typing_dropped');
      return { result: Promise.resolve() };
    });
  }

  #show(event: TypingShown): void {
    this.#subscribers.deliver(event.place, event);
    void this.#broadcast.send(event);
  }

  #nameOf(caller: Caller, claimed: string): string {
    const name = this.#users.authoritative ? (this.#users.cached(caller.userId)?.name ?? caller.account) : claimed;
    return name.slice(0, NAME_CHARS);
  }
}
