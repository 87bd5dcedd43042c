import type { PresenceChanged } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** A user who comes back within this time was never away to anybody. */
const GRACE_MS = 2_000;
const AT_ONCE = 16;
const MAX_WAITING = 50_000;

/**
 * Tells rooms and communities who came and who went. A short absence is not told; of several changes of a user that wait, only the last is;
 * what waits is looked up and told in groups, so that a mass reconnect is a trickle.
 */
export class Announcer {
  readonly #directory: RoomDirectory;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #tell: (events: readonly PresenceChanged[]) => void;
  /** Users who went offline a moment ago; a timer where it is ours to say so. */
  readonly #leaving = new Map<UserId, { at: number; timer: Timer | null }>();
  readonly #waiting = new Map<UserId, 'connect' | 'disconnect'>();
  #working = false;

  constructor(parts: {
    directory: RoomDirectory;
    clock: Clock;
    telemetry: Telemetry;
    tell: (events: readonly PresenceChanged[]) => void;
  }) {
    this.#directory = parts.directory;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#tell = parts.tell;
  }

  cameOnline(userId: UserId, here: boolean): void {
    const leaving = this.#leaving.get(userId);
    if (leaving !== undefined) {
      leaving.timer?.cancel();
      this.#leaving.delete(userId);
      if (this.#clock.now() - leaving.at < GRACE_MS) return;
    }
    if (here) this.announce(userId, 'connect');
  }

  wentOffline(userId: UserId, ours: boolean): void {
    this.#leaving.get(userId)?.timer?.cancel();
    const timer = this.#clock.after(GRACE_MS, () => {
      this.#leaving.delete(userId);
      if (ours) this.announce(userId, 'disconnect');
    });
    this.#leaving.set(userId, { at: this.#clock.now(), timer });
  }

  /** True while the user's absence is too short to be told: to everybody else he is still here. */
  isLeaving(userId: UserId): boolean {
    return this.#leaving.has(userId);
  }

  /** Another server has said it: nobody needs to hear it twice. */
  wasTold(userId: UserId): void {
    const leaving = this.#leaving.get(userId);
    leaving?.timer?.cancel();
    this.#leaving.delete(userId);
    if (this.#waiting.get(userId) === 'disconnect') this.#waiting.delete(userId);
  }

  announce(userId: UserId, kind: 'connect' | 'disconnect'): void {
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(userId, kind);
    if (this.#working) return;
    this.#working = true;
    this.#clock.soon(() => void this.#work());
  }

  async #work(): Promise<void> {
    while (this.#waiting.size > 0) {
      const users: UserId[] = [];
      for (const userId of this.#waiting.keys()) {
        users.push(userId);
        if (users.length === AT_ONCE) break;
      }
      const places = await Promise.all(users.map((userId) => this.#placesOf(userId)));
      const events: PresenceChanged[] = [];
      for (const [i, userId] of users.entries()) {
        const kind = this.#waiting.get(userId);
        const where = places[i];
        this.#waiting.delete(userId);
        if (kind !== undefined && where !== undefined && where.length > 0) events.push({ kind, userId, places: where });
      }
      if (events.length > 0) this.#tell(events);
    }
    this.#working = false;
  }

  async #placesOf(userId: UserId): Promise<readonly PlaceKey[]> {
    try {
      return await this.#directory.placesOf(userId);
    } catch (error) {
      this.#telemetry.log('debug', 'nobody told of a user', { userId, reason: String(error) });
      return [];
    }
  }
}
