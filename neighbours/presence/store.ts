import type { VoiceChannel } from './codec.ts';
import type { Entry } from './entry.ts';

/** Where a list of voice channels is kept: a community, or a direct room with a call. */
export type VoiceScope = `com${string}` | `r-${string}`;

/** Channel id to the user ids in it, each list in the order of entering. */
export type VoiceLists = Record<string, string[]>;

/** An entry as read, with the mark by which a later commit knows whether somebody else changed it. */
export interface Loaded {
  readonly entry: Entry | null;
  readonly mark: string;
}

/**
 * Keeps the entries and what is found by them. All calls of one `commit` take effect together or not at all, also among
 * several processes on one store. Calls reject where the store can't be reached; nothing else makes them reject.
 */
export interface PresenceStore {
  userOf(session: string): Promise<string | null>;
  load(user: string): Promise<Loaded>;
  /** In the order of `users`. */
  loadAll(users: readonly string[]): Promise<(Entry | null)[]>;
  /**
   * Replaces what `load` gave, unless it was changed since: then false, and nothing happened. A new session's owner is
   * given a lease until `leaseUntil` (ms), where he has none.
   */
  commit(user: string, before: Loaded, after: Entry | null, leaseUntil: number): Promise<boolean>;
  voice(scope: VoiceScope): Promise<VoiceLists>;
  /** Extends the leases of owners to `until` (ms). */
  renew(owners: readonly string[], until: number): Promise<void>;
  /** Sessions whose owner's lease ended before `now`. */
  lapsed(now: number): Promise<{ session: string; owner: string }[]>;
  /** Users with something in their entry that has outlived its time. */
  due(now: number): Promise<string[]>;
}

export function scopeOf(voice: VoiceChannel): VoiceScope {
  return voice.community === null ? `r-${voice.channel}` : `com${voice.community}`;
}
