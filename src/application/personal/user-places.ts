import type { UserId } from '../../domain/ids.ts';
import { isCommunity, type PlaceKey } from '../../domain/place.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Listeners } from './listeners.ts';

/** Places are read again after this time and up to `JITTER_MS` more, in milliseconds. */
const READ_AGAIN_MS = 180_000;
const JITTER_MS = 45_000;
/** A read that failed is repeated after this time, in milliseconds. */
const RETRY_MS = 10_000;
const CHECK_MS = 1_000;
/** Reads in a row while lists change. */
const MAX_READS = 3;
/**
 * Reads that may begin in a second. With more users: as many as it takes to read the places of all
 * of them within `READ_AGAIN_MS`.
 */
const MIN_READS_PER_SECOND = 20;

export interface UserPlacesParts {
  readonly listeners: Listeners;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** The rooms, communities and channels of a user. @throws Refusal `try-again` */
  readonly placesOf: (userId: UserId) => Promise<Iterable<PlaceKey>>;
}

/**
 * Keeps the places of the users who listen, and notifies them of each place that is added or left.
 *
 * The places are read when a user begins to listen, and again within about four minutes, whether a
 * change was reported or not. A reported list takes effect at once.
 */
export class UserPlaces {
  readonly #parts: UserPlacesParts;
  /** When the places of each user are to be read again, by the monotonic clock. */
  readonly #dueAt = new Map<UserId, number>();
  readonly #reading = new Map<UserId, Promise<void>>();
  /** Users of whom a list changed while their places were read. */
  readonly #overtaken = new Set<UserId>();
  #timer: Timer | null = null;

  constructor(parts: UserPlacesParts) {
    this.#parts = parts;
  }

  /** Resolves when the places of a listening user are known, or when they could not be read. */
  async known(userId: UserId): Promise<void> {
    if (this.#parts.listeners.user(userId)?.places === null) await this.#read(userId);
  }

  /**
   * A room, community or channel may have other members.
   * @param isMember says who is one now
   */
  changed(place: PlaceKey, isMember: (userId: UserId) => boolean): void {
    const { listeners } = this.#parts;
    for (const { userId } of listeners.users()) {
      if (this.#reading.has(userId)) this.#overtaken.add(userId);
      const kind = isMember(userId) ? 'added' : 'left';
      const isChange = kind === 'added' ? listeners.join(userId, place) : listeners.leave(userId, place);
      if (!isChange) continue;
      listeners.send(userId, { kind, place });
      // The channels of a community come and go with it.
      if (isCommunity(place)) this.#readSoon(userId);
    }
  }

  /**
   * This server has learned of a place that may exist for long. Its users hear of it from now on,
   * but it is not new to them.
   */
  found(place: PlaceKey, isMember: (userId: UserId) => boolean): void {
    const { listeners } = this.#parts;
    for (const { userId } of listeners.users()) if (isMember(userId)) listeners.join(userId, place);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #read(userId: UserId): Promise<void> {
    let reading = this.#reading.get(userId);
    if (reading === undefined) {
      reading = this.#readNow(userId).finally(() => this.#reading.delete(userId));
      this.#reading.set(userId, reading);
    }
    return reading;
  }

  async #readNow(userId: UserId): Promise<void> {
    const { listeners, clock, random, telemetry } = this.#parts;
    this.#dueAt.set(userId, clock.monotonic() + READ_AGAIN_MS + JITTER_MS * random());
    this.#schedule();
    try {
      this.#take(userId, await this.#currentPlaces(userId));
    } catch (error) {
      telemetry.log('debug', 'places of a user not read', { userId, error });
      if (listeners.user(userId) !== undefined) this.#dueAt.set(userId, clock.monotonic() + RETRY_MS);
    }
  }

  /** Reads again if a list changed meanwhile: the answer may be from before the change. */
  async #currentPlaces(userId: UserId): Promise<ReadonlySet<PlaceKey>> {
    for (let reads = 1; ; reads += 1) {
      this.#overtaken.delete(userId);
      const places = await this.#parts.placesOf(userId);
      if (!this.#overtaken.delete(userId) || reads === MAX_READS) return new Set(places);
    }
  }

  #take(userId: UserId, places: ReadonlySet<PlaceKey>): void {
    const { listeners } = this.#parts;
    const known = listeners.user(userId)?.places;
    if (known === undefined) return;
    if (known === null) {
      listeners.setPlaces(userId, places);
      return;
    }
    for (const place of [...known]) {
      if (!places.has(place) && listeners.leave(userId, place)) listeners.send(userId, { kind: 'left', place });
    }
    for (const place of places) {
      if (listeners.join(userId, place)) listeners.send(userId, { kind: 'added', place });
    }
  }

  #readSoon(userId: UserId): void {
    this.#dueAt.set(userId, this.#parts.clock.monotonic());
    this.#parts.clock.soon(() => this.#readDue());
  }

  #schedule(): void {
    this.#timer ??= this.#parts.clock.after(CHECK_MS, () => {
      this.#timer = null;
      this.#readDue();
      if (this.#dueAt.size > 0) this.#schedule();
    });
  }

  #readDue(): void {
    const { listeners, clock } = this.#parts;
    const now = clock.monotonic();
    let left = Math.max(MIN_READS_PER_SECOND, listeners.size / (READ_AGAIN_MS / 1_000));
    for (const [userId, dueAt] of this.#dueAt) {
      if (listeners.user(userId) === undefined) this.#dueAt.delete(userId);
      else if (dueAt <= now && left > 0) {
        left -= 1;
        void this.#read(userId);
      }
    }
  }
}
