import type { Accepted, Caller } from '../../commands.ts';
import type { Listeners } from '../../personal/listeners.ts';
import type { UserPlaces } from '../../personal/user-places.ts';
import type { PersonalListener } from '../../ports/personal-listener.ts';
import type { Rates } from '../../rates.ts';

export interface ListenToPersonalEventsParts {
  readonly listeners: Listeners;
  readonly places: UserPlaces;
  readonly rates: Rates;
}

/** A connection begins to listen to the personal events of its user. */
export class ListenToPersonalEvents {
  readonly #parts: ListenToPersonalEventsParts;

  constructor(parts: ListenToPersonalEventsParts) {
    this.#parts = parts;
  }

  /**
   * Accepted at once. The result resolves when the user's places are known, so that every event of
   * them is heard from then on. While the directory does not answer, it still resolves, and
   * events of places follow later.
   * @throws Refusal `too-fast`
   */
  execute({ userId }: Caller, listener: PersonalListener): Accepted<void> {
    const { listeners, places, rates } = this.#parts;
    rates.step(userId);
    listeners.add(userId, listener);
    return { result: places.known(userId) };
  }

  /** Ends it. Does nothing if the connection does not listen. */
  end({ userId }: Caller, listener: PersonalListener): void {
    this.#parts.listeners.remove(userId, listener);
  }
}
