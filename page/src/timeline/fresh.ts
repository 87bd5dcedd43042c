import type { Entry } from 'chat-server-client';

/** What was unread when the place was opened, or when the user came back to it. */
export interface FreshCount {
  readonly count: number;
  /** The newest number at that time. */
  readonly seq: number;
}

export interface FreshStart {
  /** Key of the first new entry that is loaded; null: there is none. */
  readonly key: string | null;
  /** true: more new entries are above those that are loaded. */
  readonly isAbove: boolean;
}

/** Finds where the unread messages begin: so many of others, from the newest one upwards. */
export function freshStart(entries: readonly Entry[], fresh: FreshCount | null, me: number): FreshStart {
  let left = fresh?.count ?? 0;
  let key: string | null = null;
  for (let index = entries.length - 1; index >= 0 && left > 0; index -= 1) {
    const entry = entries[index] as Entry;
    if (entry.seq === null || entry.seq > (fresh?.seq ?? 0) || entry.userId === me) continue;
    left -= 1;
    key = entry.key;
  }
  return { key, isAbove: left > 0 };
}
