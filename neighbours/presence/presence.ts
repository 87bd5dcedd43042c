import type { Place, PresenceRequest, VoiceChannel } from './codec.ts';
import { formatIds, PLAIN_REPLY, placeOfVoice } from './codec.ts';
import { type Entry, entered, left, moved, withoutExpired, withoutSessions, withSession } from './entry.ts';
import { type PresenceStore, scopeOf, type VoiceLists, type VoiceScope } from './store.ts';

/** A voice channel or call that a user left, with the ids of the users who are still in it. */
export interface Departure {
  readonly voice: VoiceChannel;
  readonly ids: readonly string[];
}

export interface Answer {
  readonly reply: string;
  readonly departures: readonly Departure[];
  /** The new entries of the users that the request changed. */
  readonly changed: ReadonlyMap<string, Entry | null>;
}

/**
 * Attempts to write an entry. Conflicts are rare, because a user's requests come one after the
 * other.
 */
const MAX_ATTEMPTS = 50;

/**
 * Answers the requests of the presence protocol over any store. Rejects only when the store
 * rejects.
 */
export class Presence {
  readonly #store: PresenceStore;
  readonly #leaseMs: number;
  readonly #now: () => number;
  #stamped = 0;

  /**
   * @param leaseMs time for which an owner without a connection, or a place without a login, still
   * counts
   */
  constructor(store: PresenceStore, leaseMs: number, now: () => number) {
    this.#store = store;
    this.#leaseMs = leaseMs;
    this.#now = now;
  }

  /** @param owner the owner of a session that logs in with this request (see lease.ts) */
  async handle(request: PresenceRequest, owner: string): Promise<Answer> {
    const change = new Change(this.#store, this.#now() + this.#leaseMs);
    const reply = await this.#reply(request, owner, change);
    return change.answer(reply);
  }

  /** Ends the sessions whose owner has no lease any more, and everything that has expired. */
  async sweep(): Promise<Answer> {
    const now = this.#now();
    const change = new Change(this.#store, now + this.#leaseMs);
    for (const { session, owner } of await this.#store.lapsed(now)) {
      const user = await this.#store.userOf(session);
      if (user === null) continue;
      await change.apply(user, (entry) => withoutSessions(entry, (id, held) => id === session && held.owner === owner));
    }
    await this.#expire(now, change);
    return change.answer('');
  }

  /** Ends everything that has expired, but no session because of its owner. */
  async expire(): Promise<Answer> {
    const now = this.#now();
    const change = new Change(this.#store, now + this.#leaseMs);
    await this.#expire(now, change);
    return change.answer('');
  }

  async #expire(now: number, change: Change): Promise<void> {
    for (const user of await this.#store.due(now)) await change.apply(user, (entry) => withoutExpired(entry, now));
  }

  async #reply(request: PresenceRequest, owner: string, change: Change): Promise<string> {
    const now = this.#now();
    const provisional = now + this.#leaseMs;
    switch (request.type) {
      case 'login': {
        const { session, user } = request;
        const before = await this.#store.userOf(session);
        if (before !== null && before !== user) await change.apply(before, without(session));
        await change.apply(user, (entry) => withSession(entry, session, owner, now));
        return PLAIN_REPLY;
      }
      case 'logout': {
        const user = await this.#store.userOf(request.session);
        if (user === null) return 'null,null';
        const last = await change.apply(user, without(request.session));
        return request.session in (last?.sessions ?? {}) ? `${user},${last?.place ?? null}` : 'null,null';
      }
      case 'state': {
        const last = await change.apply(request.user, (entry) =>
          moved(entry, request.place, this.#stamp(now), provisional),
        );
        return `${last?.place ?? null},${request.place}`;
      }
      case 'looking': {
        const entries = await this.#store.loadAll(request.users);
        return formatIds(request.users.filter((_user, at) => placeNow(entries[at] ?? null, now) !== request.place));
      }
      case 'before-enter':
        return JSON.stringify(await this.#store.voice(scopeOfRequest(request.community, request.room)));
      case 'enter': {
        const { user, voice } = request;
        const last = await change.apply(user, (entry) => entered(entry, voice, this.#stamp(now), provisional));
        const lists = await this.#store.voice(scopeOf(voice));
        return JSON.stringify(withEmptied(lists, last?.voice ?? null, voice));
      }
      case 'leave':
        await change.apply(request.user, (entry) => left(entry, request.voice));
        return PLAIN_REPLY;
    }
  }

  /**
   * The time, but later than the last one that was given. This keeps the order of entries within a
   * millisecond.
   */
  #stamp(now: number): number {
    this.#stamped = Math.max(now, this.#stamped + 0.001);
    return this.#stamped;
  }
}

function without(session: string): (entry: Entry | null) => Entry | null {
  return (entry) => withoutSessions(entry, (id) => id === session);
}

function placeNow(entry: Entry | null, now: number): Place {
  return withoutExpired(entry, now)?.place ?? null;
}

function scopeOfRequest(community: string | null, room: string | null): VoiceScope {
  return community === null ? `r-${room}` : `com${community}`;
}

/**
 * Lists a channel as empty that the request has just emptied. Clients merge these lists and clear
 * it.
 */
function withEmptied(lists: VoiceLists, last: VoiceChannel | null, now: VoiceChannel): VoiceLists {
  if (last === null || last.community === null || last.community !== now.community) return lists;
  return last.channel in lists ? lists : { ...lists, [last.channel]: [] };
}

/** The changes of one request to the store. */
class Change {
  readonly #store: PresenceStore;
  readonly #leaseUntil: number;
  readonly #changed = new Map<string, Entry | null>();
  readonly #left = new Map<string, VoiceChannel>();

  constructor(store: PresenceStore, leaseUntil: number) {
    this.#store = store;
    this.#leaseUntil = leaseUntil;
  }

  /** Changes the entry of a user. @returns the entry before */
  async apply(user: string, step: (entry: Entry | null) => Entry | null): Promise<Entry | null> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const before = await this.#store.load(user);
      const after = step(before.entry);
      if (!(await this.#store.commit(user, before, after, this.#leaseUntil))) continue;
      this.#changed.set(user, after);
      const was = before.entry?.voice ?? null;
      const is = after?.voice ?? null;
      if (was !== null && (is === null || placeOfVoice(is) !== placeOfVoice(was)))
        this.#left.set(placeOfVoice(was), was);
      return before.entry;
    }
    throw new Error(`other writers changed an entry ${MAX_ATTEMPTS} times in a row`);
  }

  async answer(reply: string): Promise<Answer> {
    const departures: Departure[] = [];
    for (const voice of this.#left.values()) {
      const lists = await this.#store.voice(scopeOf(voice));
      departures.push({ voice, ids: lists[voice.channel] ?? [] });
    }
    return { reply, departures, changed: this.#changed };
  }
}
