import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey, PlaceKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import type { Clock } from '../ports/clock.ts';
import type { ReadMarkers } from '../ports/read-markers.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { KnownCount, Listeners, ListeningUser } from './listeners.ts';
import { RecentAuthors } from './recent-authors.ts';

/** Shortest time between two notices about one place, in milliseconds. */
const INTERVAL_MS = 1_000;
/** Users who are notified at a time. */
const GROUP_SIZE = 200;
/**
 * Users whose notices may be sent in a second on this server. At about 10 µs each, this is a tenth
 * of a core. More notices wait, and say the newest count when they are sent.
 */
const USERS_PER_SECOND = 10_000;
/** A count that is read from the store takes the place of so many notices. */
const COST_OF_READ = 50;
/** Interval in which the budget is refilled, in milliseconds. */
const TURN_MS = 100;
/** Places whose users are notified at the same time. */
const MAX_ACTIVE = 4;

interface PlaceNotices {
  readonly authors: RecentAuthors;
  /** The only author of the messages since the last notices; null: there are several, or none. */
  onlyAuthor: UserId | null;
  hasNew: boolean;
  /** True while the place waits for its turn. */
  isScheduled: boolean;
  /** Monotonic time of the last notices. */
  notifiedAt: number;
}

export interface UnreadNoticesParts {
  readonly listeners: Listeners;
  readonly markers: ReadMarkers;
  readonly reporter: SessionReporter;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Notifies users who listen that something new came to a place of theirs, with the number of unread
 * messages. A connection that is subscribed to the place gets the event itself and no notice.
 *
 * A place is notified at most once in a second. Counts are read from the store once for a user and
 * place, and carried on from the events that this server hears.
 */
export class UnreadNotices {
  readonly #parts: UnreadNoticesParts;
  readonly #places = new Map<PlaceKey, PlaceNotices>();
  #waiting: ConversationKey[] = [];
  #active = 0;
  #budget: number = (USERS_PER_SECOND * TURN_MS) / 1_000;
  #refilledAt: number;

  constructor(parts: UnreadNoticesParts) {
    this.#parts = parts;
    this.#refilledAt = parts.clock.monotonic();
    parts.listeners.onUnheard((place) => this.#places.delete(place));
  }

  /** Events of a place that this server stored. Costs one look-up if no user of it listens. */
  stored(place: ConversationKey, events: readonly SequencedEvent[]): void {
    if (!this.#parts.listeners.has(place)) return;
    for (const event of events) this.#add(place, event);
  }

  /** An event of a place with listening users that another server stored; null: it is damaged. */
  heard(place: ConversationKey, event: SequencedEvent | null): void {
    if (event !== null) this.#add(place, event);
  }

  /** A message came that has no number, from an original server. */
  unnumbered(place: ConversationKey, author: UserId): void {
    for (const { counts } of this.#parts.listeners.in(place)) counts.delete(place);
    this.#new(place, this.#noticesOf(place), author);
  }

  /** The user has read the place up to `seq`. */
  read({ counts }: ListeningUser, place: ConversationKey, seq: number): void {
    const newest = this.#places.get(place)?.authors.newest ?? 0;
    if (seq >= newest) counts.set(place, { count: 0, seq });
    else counts.delete(place);
  }

  #add(place: ConversationKey, event: SequencedEvent): void {
    const notices = this.#noticesOf(place);
    const author = notices.authors.add(event);
    if (author !== null) this.#new(place, notices, author);
  }

  #noticesOf(place: ConversationKey): PlaceNotices {
    let notices = this.#places.get(place);
    if (notices === undefined) {
      notices = {
        authors: new RecentAuthors(),
        onlyAuthor: null,
        hasNew: false,
        isScheduled: false,
        notifiedAt: Number.NEGATIVE_INFINITY,
      };
      this.#places.set(place, notices);
    }
    return notices;
  }

  #new(place: ConversationKey, notices: PlaceNotices, author: UserId): void {
    notices.onlyAuthor = notices.hasNew && notices.onlyAuthor !== author ? null : author;
    notices.hasNew = true;
    this.#schedule(place, notices);
  }

  #schedule(place: ConversationKey, notices: PlaceNotices): void {
    if (notices.isScheduled) return;
    notices.isScheduled = true;
    const { clock } = this.#parts;
    const wait = notices.notifiedAt + INTERVAL_MS - clock.monotonic();
    const begin = (): void => {
      this.#waiting.push(place);
      if (this.#active < MAX_ACTIVE) void this.#work();
    };
    if (wait > 0) clock.after(wait, begin);
    else clock.soon(begin);
  }

  async #work(): Promise<void> {
    this.#active += 1;
    for (let place = this.#waiting.shift(); place !== undefined; place = this.#waiting.shift()) {
      const notices = this.#places.get(place);
      if (notices === undefined || !notices.hasNew) continue;
      try {
        await this.#notify(place, notices);
      } catch (error) {
        this.#parts.telemetry.log('error', 'users could not be notified of unread messages', { place, error });
      }
      notices.isScheduled = false;
      notices.notifiedAt = this.#parts.clock.monotonic();
      if (notices.hasNew) this.#schedule(place, notices);
    }
    this.#active -= 1;
  }

  async #notify(place: ConversationKey, notices: PlaceNotices): Promise<void> {
    const { onlyAuthor } = notices;
    notices.hasNew = false;
    const users = [...this.#parts.listeners.in(place)].filter(
      (user) => user.userId !== onlyAuthor && isToBeNotified(user, place),
    );
    for (let at = 0; at < users.length; at += GROUP_SIZE) {
      const group = users.slice(at, at + GROUP_SIZE);
      await this.#spend(group.length);
      const looking = await this.#looking(place, group);
      for (const user of group) {
        const known = looking.has(user.userId)
          ? { count: 0, seq: notices.authors.newest }
          : await this.#count(user, place);
        if (known !== null) this.#send(user, place, known);
      }
    }
  }

  #send(user: ListeningUser, place: ConversationKey, known: KnownCount): void {
    // The user may have left, or stopped to listen, meanwhile.
    if (user.places?.has(place) !== true) return;
    user.counts.set(place, known);
    for (const listener of user.listeners) {
      if (!listener.isSubscribedTo(place)) listener.hear({ kind: 'unread', place, ...known });
    }
  }

  /** The unread messages now; null if the store does not say. */
  async #count(user: ListeningUser, place: ConversationKey): Promise<KnownCount | null> {
    const authors = this.#places.get(place)?.authors;
    const known = user.counts.get(place);
    const more = known === undefined ? null : (authors?.ofOthersAfter(known.seq, user.userId) ?? null);
    if (known !== undefined && more !== null) {
      return { count: known.count + more, seq: Math.max(known.seq, authors?.newest ?? 0) };
    }
    await this.#spend(COST_OF_READ);
    try {
      const [unread] = await this.#parts.markers.unread(user.userId, [place]);
      return unread === undefined ? null : { count: unread.count, seq: unread.seq };
    } catch (error) {
      this.#parts.telemetry.log('debug', 'unread messages not counted', { place, userId: user.userId, error });
      return null;
    }
  }

  /** The users who look at the place now. While presence does not answer: none. */
  async #looking(place: ConversationKey, users: readonly ListeningUser[]): Promise<ReadonlySet<UserId>> {
    const ids = users.map(({ userId }) => userId);
    try {
      const others = new Set(await this.#parts.reporter.notLooking(place, ids));
      return new Set(ids.filter((id) => !others.has(id)));
    } catch {
      return new Set();
    }
  }

  /** Waits until the budget allows `cost` more notices. */
  async #spend(cost: number): Promise<void> {
    const { clock } = this.#parts;
    for (;;) {
      const now = clock.monotonic();
      const most = (USERS_PER_SECOND * TURN_MS) / 1_000;
      this.#budget = Math.min(most, this.#budget + ((now - this.#refilledAt) * USERS_PER_SECOND) / 1_000);
      this.#refilledAt = now;
      if (this.#budget > 0) break;
      await new Promise<void>((resolve) => clock.after(TURN_MS, resolve));
    }
    // The budget may become negative, so that a cost above it is possible.
    this.#budget -= cost;
  }
}

function isToBeNotified({ listeners }: ListeningUser, place: ConversationKey): boolean {
  for (const listener of listeners) if (!listener.isSubscribedTo(place)) return true;
  return false;
}
