import type { PresenceChanged } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Deliveries of presence a second on this server. One event to a large room wakes each socket by itself, at some 10 µs: a tenth of a core. */
const DELIVERIES_PER_SECOND = 10_000;
const BURST = 20_000;
const TURN_MS = 100;
const MOST_WAITING = 20_000;
/** What waited longer would be told too late to be of use: who needs to know asks who is online. */
const STALE_MS = 30_000;

interface Waiting {
  readonly event: PresenceChanged;
  readonly since: number;
}

/**
 * Hands presence to this server's subscribers within a budget. A thousand users who come to a room of thousands are millions of frames that nobody reads:
 * what exceeds the budget waits, only the last change of a user in a place is told, places take turns, and what has waited too long is dropped. In rooms of
 * a usual size nothing ever waits.
 */
export class PresenceFanOut {
  readonly #subscribers: LocalSubscribers;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #waiting = new Map<PlaceKey, Map<UserId, Waiting>>();
  #waitingCount = 0;
  #budget = BURST;
  #refilledAt: number;
  #planned = false;

  constructor(parts: { subscribers: LocalSubscribers; clock: Clock; telemetry: Telemetry }) {
    this.#subscribers = parts.subscribers;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#refilledAt = parts.clock.now();
  }

  show(event: PresenceChanged): void {
    this.#refill();
    for (const place of event.places) {
      const audience = this.#subscribers.count(place);
      if (audience === 0) continue;
      if (this.#budget > 0 && !this.#waiting.has(place)) this.#tell(place, event, audience);
      else this.#wait(place, event);
    }
  }

  #tell(place: PlaceKey, event: PresenceChanged, audience: number): void {
    // May go into debt: a room larger than the budget would never be told anything.
    this.#budget -= audience;
    this.#subscribers.deliver(place, event);
  }

  #wait(place: PlaceKey, event: PresenceChanged): void {
    let users = this.#waiting.get(place);
    if (users === undefined) {
      users = new Map();
      this.#waiting.set(place, users);
    }
    // Goes behind what waits already; of one user only the last change is of interest.
    if (users.delete(event.userId)) this.#waitingCount -= 1;
    if (this.#waitingCount >= MOST_WAITING) {
      this.#telemetry.count('presence_dropped');
      return;
    }
    users.set(event.userId, { event, since: this.#clock.now() });
    this.#waitingCount += 1;
    this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#clock.after(TURN_MS, () => {
      this.#planned = false;
      this.#refill();
      this.#turn();
      if (this.#waitingCount > 0) this.#plan();
    });
  }

  #turn(): void {
    const now = this.#clock.now();
    for (const [place, users] of this.#waiting) {
      if (this.#budget <= 0) return;
      const next = this.#next(users, now);
      if (next !== null) this.#tell(place, next, this.#subscribers.count(place));
      // To the end of the line, where this loop finds it again.
      this.#waiting.delete(place);
      if (users.size > 0) this.#waiting.set(place, users);
    }
  }

  #next(users: Map<UserId, Waiting>, now: number): PresenceChanged | null {
    for (const [userId, { event, since }] of users) {
      users.delete(userId);
      this.#waitingCount -= 1;
      if (now - since <= STALE_MS) return event;
      this.#telemetry.count('presence_dropped');
    }
    return null;
  }

  #refill(): void {
    const now = this.#clock.now();
    this.#budget = Math.min(BURST, this.#budget + ((now - this.#refilledAt) * DELIVERIES_PER_SECOND) / 1_000);
    this.#refilledAt = now;
  }
}
