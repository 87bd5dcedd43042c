import type { PresenceChanged } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/**
 * Deliveries of presence events per second on this server. An event in a large room wakes each
 * socket on its own, at about 10 µs a socket. The budget is therefore a tenth of a core.
 */
const DELIVERIES_PER_SECOND = 10_000;
/** Deliveries that may happen at once after a quiet time. */
const BURST = 20_000;
/** Interval in which waiting events get their turn, in milliseconds. */
const TURN_MS = 100;
/** Events that may wait, over all places. */
const MAX_WAITING = 20_000;
/**
 * An event that waited longer than this, in milliseconds, is dropped. A client that needs to know
 * asks who is online.
 */
const STALE_MS = 30_000;

export interface PresenceFanOutParts {
  readonly subscribers: LocalSubscribers;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

interface WaitingEvent {
  readonly event: PresenceChanged;
  /** Monotonic time. */
  readonly since: number;
}

/**
 * Delivers presence events to this server's subscribers within a budget.
 *
 * A thousand users who come to a room of thousands cause millions of frames that nobody reads.
 * Events over the budget wait. Of each user only the last change in a place is kept. Places take
 * turns, and an event that has waited too long is dropped. In rooms of a usual size no event ever
 * waits.
 */
export class PresenceFanOut {
  readonly #parts: PresenceFanOutParts;
  /** The place at the front has the next turn. */
  readonly #waiting = new Map<PlaceKey, Map<UserId, WaitingEvent>>();
  #waitingCount = 0;
  /**
   * Deliveries that may happen now. Negative after an event for more subscribers than were left.
   */
  #budget = BURST;
  #refilledAt: number;
  #isScheduled = false;

  constructor(parts: PresenceFanOutParts) {
    this.#parts = parts;
    this.#refilledAt = parts.clock.monotonic();
  }

  show(event: PresenceChanged): void {
    this.#refill();
    for (const place of event.places) {
      const audience = this.#parts.subscribers.count(place);
      if (audience === 0) continue;
      if (this.#budget > 0 && !this.#waiting.has(place)) this.#deliver(place, event, audience);
      else this.#keep(place, event);
    }
  }

  #deliver(place: PlaceKey, event: PresenceChanged, audience: number): void {
    // The budget may become negative. Otherwise a room larger than the budget would never get an
    // event.
    this.#budget -= audience;
    this.#parts.subscribers.deliver(place, event);
  }

  #keep(place: PlaceKey, event: PresenceChanged): void {
    let users = this.#waiting.get(place);
    if (users === undefined) {
      users = new Map();
      this.#waiting.set(place, users);
    }
    // The last change of a user takes the place of the one before, at the end of the queue.
    if (users.delete(event.userId)) this.#waitingCount -= 1;
    if (this.#waitingCount >= MAX_WAITING) {
      this.#parts.telemetry.count('presence_dropped');
      return;
    }
    users.set(event.userId, { event, since: this.#parts.clock.monotonic() });
    this.#waitingCount += 1;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.clock.after(TURN_MS, () => {
      this.#isScheduled = false;
      this.#refill();
      this.#takeTurns();
      if (this.#waitingCount > 0) this.#schedule();
    });
  }

  /** Delivers one event of each place in turn, until the budget is spent or no event waits. */
  #takeTurns(): void {
    for (const [place, users] of this.#waiting) {
      if (this.#budget <= 0) return;
      const event = this.#next(users);
      if (event !== null) this.#deliver(place, event, this.#parts.subscribers.count(place));
      // The place goes to the end of the map, where this loop comes to it again.
      this.#waiting.delete(place);
      if (users.size > 0) this.#waiting.set(place, users);
    }
  }

  #next(users: Map<UserId, WaitingEvent>): PresenceChanged | null {
    const now = this.#parts.clock.monotonic();
    for (const [userId, { event, since }] of users) {
      users.delete(userId);
      this.#waitingCount -= 1;
      if (now - since <= STALE_MS) return event;
      this.#parts.telemetry.count('presence_dropped');
    }
    return null;
  }

  #refill(): void {
    const now = this.#parts.clock.monotonic();
    this.#budget = Math.min(BURST, this.#budget + ((now - this.#refilledAt) * DELIVERIES_PER_SECOND) / 1_000);
    this.#refilledAt = now;
  }
}
