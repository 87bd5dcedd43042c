import { Refusal } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import type { Caller } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { ReadMarkers, UnreadCount } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';

const MAX_PLACES = 200;

export interface ShowUnreadParts {
  readonly membership: Membership;
  readonly markers: ReadMarkers;
  readonly reporter: SessionReporter;
  readonly sessions: Sessions;
}

/**
 * Shows the caller how many messages are unread in each conversation. A conversation that they look
 * at now has none.
 */
export class ShowUnread {
  readonly #parts: ShowUnreadParts;

  constructor(parts: ShowUnreadParts) {
    this.#parts = parts;
  }

  async execute(caller: Caller, { places }: { places: readonly ConversationKey[] }): Promise<readonly UnreadCount[]> {
    const { membership, markers } = this.#parts;
    if (places.length > MAX_PLACES) {
      throw new Refusal('bad-input', `the request names ${places.length} places; the limit is ${MAX_PLACES}`);
    }
    if (places.length === 0) return [];
    const distinct = [...new Set(places)];
    await Promise.all(distinct.map((place) => membership.require(caller, place, null)));
    const counts = await markers.unread(caller.userId, distinct);
    return Promise.all(
      counts.map(async (unread) =>
        unread.count > 0 && (await this.#looksAt(caller.userId, unread.place)) ? { ...unread, count: 0 } : unread,
      ),
    );
  }

  /** Asks the presence service. If it does not answer, the sessions of this server decide. */
  async #looksAt(userId: UserId, place: ConversationKey): Promise<boolean> {
    const { reporter, sessions } = this.#parts;
    try {
      return (await reporter.notLooking(place, [userId])).length === 0;
    } catch {
      return sessions.looksAt(userId, place);
    }
  }
}
