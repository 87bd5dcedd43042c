import type { UserId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import type { Caller } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { ReadMarkers, UnreadCount } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';
import { distinctPlaces, orRefused, type RefusedPlace } from '../../refused-place.ts';

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

  /**
   * Each place once, in the order of the query. A place that the caller may not read is answered by
   * its refusal. Rejects with Refusal `bad-input` for too many places.
   */
  async execute(
    caller: Caller,
    { places }: { readonly places: readonly ConversationKey[] },
  ): Promise<readonly (UnreadCount | RefusedPlace<ConversationKey>)[]> {
    const { membership, markers } = this.#parts;
    const distinct = distinctPlaces(places);
    const permitted = await Promise.all(
      distinct.map((place) =>
        orRefused(place, async () => {
          await membership.require(caller, place);
          return place;
        }),
      ),
    );
    const readable = permitted.filter((place) => typeof place === 'string');
    const counts = readable.length === 0 ? [] : await markers.unread(caller.userId, readable);
    const shown = await Promise.all(counts.map((unread) => this.#shown(caller, unread)));
    const byPlace = new Map(shown.map((unread) => [unread.place, unread]));
    return permitted.flatMap((place) => (typeof place === 'string' ? (byPlace.get(place) ?? []) : place));
  }

  async #shown({ userId }: Caller, unread: UnreadCount): Promise<UnreadCount> {
    return unread.count > 0 && (await this.#looksAt(userId, unread.place)) ? { ...unread, count: 0 } : unread;
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
