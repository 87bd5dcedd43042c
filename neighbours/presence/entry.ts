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
  /** Where the user looks. */
  readonly place: Place;
  /**
   * The voice channel or call that the user is in; null when they are in none. It does not depend
   * on `place`: a user in a voice channel may read messages elsewhere.
   */
  readonly voice: VoiceChannel | null;
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
  const base = entry ?? { place: 'home', voice: null, since: 0, sessions: {} };
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
 * The user looks at another place. The place of a voice channel enters it. No other place changes
 * in which voice channel or call the user is.
 */
export function moved(entry: Entry | null, place: Place, now: number, provisional: number): Entry {
  const voice = voiceOfPlace(place);
  if (voice !== null) return entered(entry, voice, now, provisional);
  return { ...(entry ?? { ...NOTHING, provisional }), place };
}

/** The user enters a voice channel or call. */
export function entered(entry: Entry | null, voice: VoiceChannel, now: number, provisional: number): Entry {
  const base = entry ?? { ...NOTHING, provisional };
  const place = placeOfVoice(voice);
  const stays = base.voice !== null && placeOfVoice(base.voice) === place;
  return { ...base, place, voice, since: stays ? base.since : now };
}

/**
 * The user leaves the voice channel or call, or whichever they are in when `voice` is null. A user
 * who is not in it stays as they are. A user who looked at the voice channel is at home afterwards.
 */
export function left(entry: Entry | null, voice: VoiceChannel | null): Entry | null {
  if (entry === null || entry.voice === null) return entry;
  if (voice !== null && placeOfVoice(voice) !== placeOfVoice(entry.voice)) return entry;
  return { ...entry, place: voiceOfPlace(entry.place) === null ? entry.place : 'home', voice: null, since: 0 };
}

/** Time at which the entry or a part of it expires next. */
export function dueAt(entry: Entry): number {
  const ends = Object.values(entry.sessions).map((session) => session.until);
  return Math.min(...ends, entry.provisional === 0 ? Number.MAX_SAFE_INTEGER : entry.provisional);
}

const NOTHING: Entry = { place: null, voice: null, since: 0, sessions: {}, provisional: 0 };
