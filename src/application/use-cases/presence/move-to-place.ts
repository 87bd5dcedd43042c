import { type ConversationKey, communityKey } from '../../../domain/place.ts';
import type { Whereabouts } from '../../../domain/whereabouts.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadMarkers } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';
import type { Rates } from '../../rates.ts';

/** The user looks somewhere else now: both places count as read at this moment, and presence knows where he is. */
export class MoveToPlace {
  readonly #membership: Membership;
  readonly #rates: Rates;
  readonly #reporter: SessionReporter;
  readonly #markers: ReadMarkers;
  readonly #sessions: Sessions;
  readonly #clock: Clock;

  constructor(parts: {
    membership: Membership;
    rates: Rates;
    reporter: SessionReporter;
    markers: ReadMarkers;
    sessions: Sessions;
    clock: Clock;
  }) {
    this.#membership = parts.membership;
    this.#rates = parts.rates;
    this.#reporter = parts.reporter;
    this.#markers = parts.markers;
    this.#sessions = parts.sessions;
    this.#clock = parts.clock;
  }

  execute(
    caller: Caller,
    { sessionId, whereabouts }: { sessionId: string; whereabouts: Whereabouts },
  ): MaybePromise<Accepted<void>> {
    this.#rates.step(caller.userId);
    return whenReady(this.#permit(caller, whereabouts), () => ({
      result: this.#move(caller, sessionId, whereabouts),
    }));
  }

  #permit(caller: Caller, whereabouts: Whereabouts): MaybePromise<void> {
    switch (whereabouts.kind) {
      case 'home':
        return;
      case 'conversation':
        return this.#membership.require(caller, whereabouts.key);
      case 'voice':
        return this.#membership.require(caller, communityKey(whereabouts.communityId));
    }
  }

  async #move({ userId }: Caller, sessionId: string, whereabouts: Whereabouts): Promise<void> {
    const now = this.#clock.now();
    // Without presence, what this server saw of the session is the best there is to know.
    const before = this.#sessions.moved(sessionId, whereabouts);
    const last = await this.#reporter.moved(userId, whereabouts).catch(() => before);
    const read = new Set<ConversationKey>();
    for (const each of [before, last, whereabouts]) if (each?.kind === 'conversation') read.add(each.key);
    if (read.size > 0) await this.#markers.mark(userId, [...read], now);
  }
}
