import { type Place, placeOfVoice, type VoiceChannel, voiceOfPlace } from './codec.ts';

/** One session of a user: who is answerable for it (see lease.ts), and when it ends in any case (ms since 1970). */
export interface Session {
  readonly owner: string;
  readonly until: number;
}

/** What is known of one user. There is no entry for a user of whom nothing is known. */
export interface Entry {
  readonly place: Place;
  /** Whether the user is in a call of the room that `place` names. */
  readonly call: boolean;
  /** When the voice channel or call was entered (ms); orders the lists of who is in it. 0 outside of one. */
  readonly since: number;
  readonly sessions: { readonly [session: string]: Session };
  /**
   * Until when (ms) the entry stands although no session is known: a pool's connections overtake each other, so a place
   * may be told before its login. 0 where there are sessions.
   */
  readonly provisional: number;
}

/** An entry lives for a day, renewed by a login of the same session. */
export const ENTRY_MS = 24 * 60 * 60 * 1000;

export function withSession(entry: Entry | null, session: string, owner: string, now: number): Entry {
  const base = entry ?? { place: 'home', call: false, since: 0, sessions: {} };
  return { ...base, provisional: 0, sessions: { ...base.sessions, [session]: { owner, until: now + ENTRY_MS } } };
}

/** The entry without some sessions; null when none is left, whatever the place was. */
export function withoutSessions(entry: Entry | null, gone: (id: string, session: Session) => boolean): Entry | null {
  if (entry === null) return null;
  const left = Object.entries(entry.sessions).filter(([id, session]) => !gone(id, session));
  if (left.length === 0 && entry.provisional === 0) return null;
  return { ...entry, sessions: Object.fromEntries(left) };
}

/** The entry without what has outlived its time. */
export function withoutExpired(entry: Entry | null, now: number): Entry | null {
  if (entry !== null && entry.provisional !== 0 && entry.provisional <= now) return null;
  return withoutSessions(entry, (_id, session) => session.until <= now);
}

/** The user looks at another place. Naming a voice channel's place enters it; any other place leaves it. */
export function moved(entry: Entry | null, place: Place, now: number, provisional: number): Entry {
  const base = entry ?? { ...NOTHING, provisional };
  const stays = base.place === place;
  const voice = voiceOfPlace(place) !== null;
  return { ...base, place, call: stays && base.call, since: stays && base.since !== 0 ? base.since : voice ? now : 0 };
}

export function entered(entry: Entry | null, voice: VoiceChannel, now: number, provisional: number): Entry {
  const base = entry ?? { ...NOTHING, provisional };
  const place = placeOfVoice(voice);
  const stays = base.place === place && base.since !== 0;
  return { ...base, place, call: voice.community === null, since: stays ? base.since : now };
}

/** The voice channel or call that the user is in; a user is in one at most. */
export function voiceOf(entry: Entry | null): VoiceChannel | null {
  if (entry === null) return null;
  return entry.call ? { community: null, channel: (entry.place ?? '').slice(2) } : voiceOfPlace(entry.place);
}

/** When the entry, or a part of it, is next due to go (ms). */
export function dueAt(entry: Entry): number {
  const ends = Object.values(entry.sessions).map((session) => session.until);
  return Math.min(...ends, entry.provisional === 0 ? Number.MAX_SAFE_INTEGER : entry.provisional);
}

const NOTHING: Entry = { place: null, call: false, since: 0, sessions: {}, provisional: 0 };
