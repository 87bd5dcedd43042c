import { type Place, placeOfVoice, type VoiceChannel, voiceOfPlace } from './codec.ts';

/** A session of a user. */
export interface Session {
  /** The owner that is responsible for it (see lease.ts). */
  readonly owner: string;
  /** Time at which it ends in any case, in milliseconds since 1970. */
  readonly until: number;
}

/**
 * Everything that is known of one user. An unknown user has no entry. All times are milliseconds
 * since 1970.
 */
export interface Entry {
  readonly place: Place;
  /** True when the user is in a call in the room that `place` names. */
  readonly call: boolean;
  /**
   * Time at which the user entered the voice channel or call; 0 when they are in none. Lists of
   * users follow it.
   */
  readonly since: number;
  readonly sessions: { readonly [session: string]: Session };
  /**
   * Time until which the entry is kept although it has no session; 0 when it has sessions. The
   * connections of a pool overtake each other, so a place may be reported before the login.
   */
  readonly provisional: number;
}

/** Lifetime of a session since its last login, in milliseconds. */
export const ENTRY_MS = 24 * 60 * 60 * 1000;

export function withSession(entry: Entry | null, session: string, owner: string, now: number): Entry {
  const base = entry ?? { place: 'home', call: false, since: 0, sessions: {} };
  return { ...base, provisional: 0, sessions: { ...base.sessions, [session]: { owner, until: now + ENTRY_MS } } };
}

/** The entry without the sessions for which `gone` is true; null when no session is left. */
export function withoutSessions(entry: Entry | null, gone: (id: string, session: Session) => boolean): Entry | null {
  if (entry === null) return null;
  const left = Object.entries(entry.sessions).filter(([id, session]) => !gone(id, session));
  if (left.length === 0 && entry.provisional === 0) return null;
  return { ...entry, sessions: Object.fromEntries(left) };
}

/**
 * The entry without expired sessions; null when no session is left or the entry itself has expired.
 */
export function withoutExpired(entry: Entry | null, now: number): Entry | null {
  if (entry !== null && entry.provisional !== 0 && entry.provisional <= now) return null;
  return withoutSessions(entry, (_id, session) => session.until <= now);
}

/**
 * The user looks at another place. The place of a voice channel enters it. Any other place leaves
 * it.
 */
export function moved(entry: Entry | null, place: Place, now: number, provisional: number): Entry {
  const base = entry ?? { ...NOTHING, provisional };
  const stays = base.place === place;
  const voice = voiceOfPlace(place) !== null;
  return { ...base, place, call: stays && base.call, since: stays && base.since !== 0 ? base.since : voice ? now : 0 };
}

/** The user enters a voice channel or call. */
export function entered(entry: Entry | null, voice: VoiceChannel, now: number, provisional: number): Entry {
  const base = entry ?? { ...NOTHING, provisional };
  const place = placeOfVoice(voice);
  const stays = base.place === place && base.since !== 0;
  return { ...base, place, call: voice.community === null, since: stays ? base.since : now };
}

/**
 * The voice channel or call that the user is in; null when they are in none. A user is in at most
 * one.
 */
export function voiceOf(entry: Entry | null): VoiceChannel | null {
  if (entry === null) return null;
  return entry.call ? { community: null, channel: (entry.place ?? '').slice(2) } : voiceOfPlace(entry.place);
}

/** Time at which the entry or a part of it expires next. */
export function dueAt(entry: Entry): number {
  const ends = Object.values(entry.sessions).map((session) => session.until);
  return Math.min(...ends, entry.provisional === 0 ? Number.MAX_SAFE_INTEGER : entry.provisional);
}

const NOTHING: Entry = { place: null, call: false, since: 0, sessions: {}, provisional: 0 };
