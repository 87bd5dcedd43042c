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

export interface MoveToPlaceParts {
  readonly membership: Membership;
  readonly rates: Rates;
  readonly reporter: SessionReporter;
  readonly markers: ReadMarkers;
  readonly sessions: Sessions;
  readonly clock: Clock;
}

export interface Move {
  readonly sessionId: string;
  readonly whereabouts: Whereabouts;
}

/**
 * The user looks at another place. The conversation they leave and the one they enter both count as
 * read.
 */
export class MoveToPlace {
  readonly #parts: MoveToPlaceParts;

  constructor(parts: MoveToPlaceParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `too-fast`, `not-permitted`, `try-again` */
  execute(caller: Caller, move: Move): MaybePromise<Accepted<void>> {
    this.#parts.rates.step(caller.userId);
    return whenReady(this.#permit(caller, move.whereabouts), () => ({ result: this.#move(caller, move) }));
  }

  #permit(caller: Caller, whereabouts: Whereabouts): MaybePromise<void> {
    const { membership } = this.#parts;
    switch (whereabouts.kind) {
      case 'home':
        return;
      case 'conversation':
        return membership.require(caller, whereabouts.key);
      case 'voice':
        return membership.require(caller, communityKey(whereabouts.communityId));
    }
  }

  async #move({ userId }: Caller, { sessionId, whereabouts }: Move): Promise<void> {
    const { clock, sessions, reporter, markers } = this.#parts;
    const now = clock.now();
    const before = sessions.moved(sessionId, whereabouts);
    // The presence service knows the user's last place on any server. Without it, only this
    // session's last place is known.
    const last = await reporter.moved(userId, whereabouts).catch(() => before);
    const read = new Set<ConversationKey>();
    for (const each of [before, last, whereabouts]) if (each?.kind === 'conversation') read.add(each.key);
    if (read.size > 0) await markers.mark(userId, [...read], now);
  }
}
