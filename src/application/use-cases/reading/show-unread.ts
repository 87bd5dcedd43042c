import { Refusal } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import type { Caller } from '../../commands.ts';
import type { Membership } from '../../membership/membership.ts';
import type { ReadMarkers, UnreadCount } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Sessions } from '../../presence/sessions.ts';

const MAX_PLACES = 200;

/** A user's own unread counts, of rooms and channels. What he looks at now has none. */
export class ShowUnread {
  readonly #membership: Membership;
  readonly #markers: ReadMarkers;
  readonly #reporter: SessionReporter;
  readonly #sessions: Sessions;

  constructor(parts: {
    membership: Membership;
    markers: ReadMarkers;
    reporter: SessionReporter;
    sessions: Sessions;
  }) {
    this.#membership = parts.membership;
    this.#markers = parts.markers;
    this.#reporter = parts.reporter;
    this.#sessions = parts.sessions;
  }

  async execute(caller: Caller, { places }: { places: readonly ConversationKey[] }): Promise<readonly UnreadCount[]> {
    if (places.length > MAX_PLACES) throw new Refusal('bad-input', `at most ${MAX_PLACES} places at once`);
    const asked = [...new Set(places)];
    await Promise.all(asked.map((place) => this.#membership.require(caller, place, null)));
    const counts = await this.#markers.unread(caller.userId, asked);
    return Promise.all(
      counts.map(async (each) =>
        each.count > 0 && (await this.#looksAt(caller.userId, each.place)) ? { ...each, count: 0 } : each,
      ),
    );
  }

  async #looksAt(userId: UserId, place: ConversationKey): Promise<boolean> {
    try {
      return (await this.#reporter.notLooking(place, [userId])).length === 0;
    } catch {
      return this.#sessions.looksAt(userId, place);
    }
  }
}
