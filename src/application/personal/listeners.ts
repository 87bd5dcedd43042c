import type { UserId } from '../../domain/ids.ts';
import type { PersonalEvent } from '../../domain/personal-event.ts';
import { type ConversationKey, isCommunity, type PlaceKey } from '../../domain/place.ts';
import type { PersonalListener } from '../ports/personal-listener.ts';

/** The unread messages of a user in a place, as of the event `seq`. */
export interface KnownCount {
  readonly count: number;
  readonly seq: number;
}

/** A user with at least one connection that listens. */
export interface ListeningUser {
  readonly userId: UserId;
  readonly listeners: ReadonlySet<PersonalListener>;
  /** The user's rooms, communities and channels; null until they were read. */
  readonly places: ReadonlySet<PlaceKey> | null;
  /** Unread messages by place. A missing count is read from the store when it is needed. */
  readonly counts: Map<ConversationKey, KnownCount>;
}

interface Entry extends ListeningUser {
  readonly listeners: Set<PersonalListener>;
  places: Set<PlaceKey> | null;
}

const NOBODY: ReadonlySet<ListeningUser> = new Set();

/**
 * The users of this server who listen to their personal events, by user and by place. A place
 * without such a user costs one look-up.
 */
export class Listeners {
  readonly #users = new Map<UserId, Entry>();
  readonly #byPlace = new Map<PlaceKey, Set<Entry>>();
  readonly #onUnheard: ((place: PlaceKey) => void)[] = [];

  /** Calls `forget` when the last user of a place stopped to listen. */
  onUnheard(forget: (place: PlaceKey) => void): void {
    this.#onUnheard.push(forget);
  }

  get size(): number {
    return this.#users.size;
  }

  add(userId: UserId, listener: PersonalListener): ListeningUser {
    let user = this.#users.get(userId);
    if (user === undefined) {
      user = { userId, listeners: new Set(), places: null, counts: new Map() };
      this.#users.set(userId, user);
    }
    user.listeners.add(listener);
    return user;
  }

  /** Does nothing if the listener is not there. */
  remove(userId: UserId, listener: PersonalListener): void {
    const user = this.#users.get(userId);
    if (user === undefined || !user.listeners.delete(listener) || user.listeners.size > 0) return;
    for (const place of user.places ?? []) this.#unindex(user, place);
    this.#users.delete(userId);
  }

  user(userId: UserId): ListeningUser | undefined {
    return this.#users.get(userId);
  }

  users(): Iterable<ListeningUser> {
    return this.#users.values();
  }

  /** True if a user of that place listens. */
  has(place: PlaceKey): boolean {
    return this.#byPlace.has(place);
  }

  /** The users of that place who listen. */
  in(place: PlaceKey): ReadonlySet<ListeningUser> {
    return this.#byPlace.get(place) ?? NOBODY;
  }

  /** The user's places as they were read for the first time. */
  setPlaces(userId: UserId, places: Iterable<PlaceKey>): void {
    const user = this.#users.get(userId);
    if (user === undefined) return;
    for (const place of user.places ?? []) this.#unindex(user, place);
    user.places = new Set(places);
    for (const place of user.places) this.#index(user, place);
  }

  /** Returns false if the user has the place already, or if their places are not known yet. */
  join(userId: UserId, place: PlaceKey): boolean {
    const user = this.#users.get(userId);
    if (user === undefined || user.places === null || user.places.has(place)) return false;
    user.places.add(place);
    this.#index(user, place);
    return true;
  }

  /** Returns false if the user does not have the place. */
  leave(userId: UserId, place: PlaceKey): boolean {
    const user = this.#users.get(userId);
    if (user?.places?.delete(place) !== true) return false;
    this.#unindex(user, place);
    return true;
  }

  /** Sends the event to the user's listeners. @param except the session that caused it, or null */
  send(userId: UserId, event: PersonalEvent, except: string | null = null): void {
    for (const listener of this.#users.get(userId)?.listeners ?? []) {
      if (listener.sessionId !== except) listener.hear(event);
    }
  }

  #index(user: Entry, place: PlaceKey): void {
    const users = this.#byPlace.get(place);
    if (users === undefined) this.#byPlace.set(place, new Set([user]));
    else users.add(user);
  }

  #unindex(user: Entry, place: PlaceKey): void {
    const users = this.#byPlace.get(place);
    users?.delete(user);
    if (users?.size === 0) {
      this.#byPlace.delete(place);
      for (const forget of this.#onUnheard) forget(place);
    }
    if (!isCommunity(place)) user.counts.delete(place);
  }
}
