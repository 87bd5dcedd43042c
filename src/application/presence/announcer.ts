import type { PresenceChanged } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Responsibility } from './cluster-sessions.ts';

/** If a user returns within this time, in milliseconds, no other user hears of the absence. */
const GRACE_MS = 2_000;
/**
 * How much longer a fallback waits for another server to announce that a user went offline, in
 * milliseconds.
 */
const FALLBACK_MS = 1_000;
/** A timer that is late by more than this, in milliseconds, shows that the process was stopped. */
const LATE_MS = 1_000;
/** Users whose places are looked up at a time. */
const GROUP_SIZE = 16;
/** Users whose change may wait. The changes of more users are dropped. */
const MAX_WAITING = 50_000;

export interface AnnouncerParts {
  readonly directory: RoomDirectory;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /**
   * True while this process, which was stopped for a while, does not know yet which sessions began
   * on other servers meanwhile.
   */
  readonly isReturning: () => boolean;
  /** Sends the events to the subscribers of this server and to the other servers. */
  readonly send: (events: readonly PresenceChanged[]) => void;
}

interface Absence {
  /** Monotonic time at which it began. */
  readonly since: number;
  readonly timer: Timer;
}

/**
 * Announces in rooms and communities that users came online and went offline.
 *
 * An absence within the grace period is not announced. When several changes of a user wait, only
 * the last one is announced. Users are looked up and announced in small groups, so that a mass
 * reconnect does not flood the community service.
 */
export class Announcer {
  readonly #parts: AnnouncerParts;
  /** Users in the grace period. */
  readonly #absences = new Map<UserId, Absence>();
  readonly #waiting = new Map<UserId, 'connect' | 'disconnect'>();
  #isWorking = false;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** The user's first session began. `isHere`: it is on this server, which then announces it. */
  cameOnline(userId: UserId, isHere: boolean): void {
    const absence = this.#absences.get(userId);
    this.#endAbsence(userId);
    if (absence !== undefined && this.#parts.clock.monotonic() - absence.since < GRACE_MS) return;
    if (isHere) this.announce(userId, 'connect');
  }

  /** The user's last session ended. The responsible server announces it after the grace period. */
  wentOffline(userId: UserId, responsibility: Responsibility): void {
    this.#endAbsence(userId);
    const { clock, isReturning } = this.#parts;
    const since = clock.monotonic();
    const delay = responsibility === 'fallback' ? GRACE_MS + FALLBACK_MS : GRACE_MS;
    const timer = clock.after(delay, () => {
      // The user may have returned on another server while this process was stopped.
      if (isReturning() || clock.monotonic() - since > delay + LATE_MS) {
        this.wentOffline(userId, responsibility);
        return;
      }
      this.#absences.delete(userId);
      if (responsibility !== 'none') this.announce(userId, 'disconnect');
    });
    this.#absences.set(userId, { since, timer });
  }

  /** True while the user is offline, but counts as online because nobody has been notified yet. */
  isInGracePeriod(userId: UserId): boolean {
    return this.#absences.has(userId);
  }

  /** Another server announced that the user went offline, so this server does not repeat it. */
  disconnectWasAnnounced(userId: UserId): void {
    this.#endAbsence(userId);
    if (this.#waiting.get(userId) === 'disconnect') this.#waiting.delete(userId);
  }

  /**
   * Announces the change soon, in the user's places. Nobody is notified when the directory cannot
   * be asked.
   */
  announce(userId: UserId, kind: 'connect' | 'disconnect'): void {
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(userId)) return;
    this.#waiting.set(userId, kind);
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#parts.clock.soon(() => void this.#work());
  }

  #endAbsence(userId: UserId): void {
    this.#absences.get(userId)?.timer.cancel();
    this.#absences.delete(userId);
  }

  async #work(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#announceGroup();
      // An embedded directory answers at once. When a worker dies with eighteen thousand users, the
      // event loop must read sockets between the groups.
      if (this.#waiting.size > 0) await new Promise<void>((resolve) => this.#parts.clock.soon(resolve));
    }
    this.#isWorking = false;
  }

  async #announceGroup(): Promise<void> {
    const users = this.#nextUsers();
    const placesOfUsers = await Promise.all(users.map((userId) => this.#placesOf(userId)));
    const events: PresenceChanged[] = [];
    for (const [i, userId] of users.entries()) {
      // While the places were read, the waiting change may have been replaced or removed.
      const kind = this.#waiting.get(userId);
      const places = placesOfUsers[i];
      this.#waiting.delete(userId);
      if (kind !== undefined && places !== undefined && places.length > 0) events.push({ kind, userId, places });
    }
    if (events.length > 0) this.#parts.send(events);
  }

  #nextUsers(): UserId[] {
    const users: UserId[] = [];
    for (const userId of this.#waiting.keys()) {
      users.push(userId);
      if (users.length === GROUP_SIZE) break;
    }
    return users;
  }

  async #placesOf(userId: UserId): Promise<readonly PlaceKey[]> {
    try {
      return await this.#parts.directory.placesOf(userId);
    } catch (error) {
      this.#parts.telemetry.log('debug', 'presence of a user not announced', { userId, error });
      return [];
    }
  }
}
