import { type ConversationKey, communityKey } from '../../../domain/place.ts';
import type { Whereabouts } from '../../../domain/whereabouts.ts';
import type { Accepted, Caller, MaybePromise } from '../../commands.ts';
import { whenReady } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';
import type { Rates } from '../../rates.ts';
import type { ReadMarks } from '../../read-marks.ts';

export interface MoveToPlaceParts {
  readonly membership: Membership;
  readonly rates: Rates;
  readonly reporter: SessionReporter;
  readonly readMarks: ReadMarks;
  readonly sessions: Sessions;
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
    const { sessions, reporter, readMarks } = this.#parts;
    const reader = { userId, sessionId };
    const before = sessions.moved(sessionId, whereabouts);
    const read = conversationsOf([before, whereabouts]);
    // Begun at once: a message that comes from now on is not read in the place that they left.
    const marking = readMarks.mark(reader, [...read]);
    // The presence service knows the user's last place on any server. Without it, only this
    // session's last place is known.
    const moving = reporter.moved(userId, whereabouts).catch(() => before);
    const [last] = await Promise.all([moving, marking]);
    const more = [...conversationsOf([last])].filter((place) => !read.has(place));
    await readMarks.mark(reader, more);
  }
}

function conversationsOf(places: readonly (Whereabouts | null)[]): Set<ConversationKey> {
  return new Set(places.flatMap((place) => (place?.kind === 'conversation' ? [place.key] : [])));
}
