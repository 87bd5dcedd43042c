import type { VoiceChannel } from './codec.ts';
import type { Entry } from './entry.ts';

/** The owner of a list of voice channels: a community, or a direct room with a call. */
export type VoiceScope = `com${string}` | `r-${string}`;

/** The user ids in each channel, by channel id. Each list is in the order of entering. */
export type VoiceLists = Record<string, string[]>;

/** An entry with its version, by which a later commit notices a conflict. */
export interface VersionedEntry {
  readonly entry: Entry | null;
  readonly version: string;
}

/**
 * Keeps the entries of users and finds them by session, voice channel, owner and expiry. A `commit`
 * takes effect completely or not at all, also among several processes on one store. Calls reject
 * only when the store cannot be reached.
 */
export interface PresenceStore {
  userOf(session: string): Promise<string | null>;
  load(user: string): Promise<VersionedEntry>;
  /** The entries in the order of `users`. */
  loadAll(users: readonly string[]): Promise<(Entry | null)[]>;
  /**
   * Replaces an entry that `load` returned. Returns false and changes nothing when the entry has
   * changed since. The owner of a new session gets a lease until `leaseUntil` (milliseconds since
   * 1970) if it has none.
   */
  commit(user: string, before: VersionedEntry, after: Entry | null, leaseUntil: number): Promise<boolean>;
  voice(scope: VoiceScope): Promise<VoiceLists>;
  /** Extends the leases of owners to `until`, in milliseconds since 1970. */
  renew(owners: readonly string[], until: number): Promise<void>;
  /** Sessions whose owner's lease has ended. */
  lapsed(now: number): Promise<{ session: string; owner: string }[]>;
  /** Users whose entry, or a part of it, has expired. */
  due(now: number): Promise<string[]>;
}

export function scopeOf(voice: VoiceChannel): VoiceScope {
  return voice.community === null ? `r-${voice.channel}` : `com${voice.community}`;
}
