import { dueAt, type Entry } from './entry.ts';
import type { PresenceStore, VersionedEntry, VoiceLists, VoiceScope } from './store.ts';
import { scopeOf } from './store.ts';

/** Keeps entries in this process. It is also the copy that answers while Redis is away. */
export class MemoryStore implements PresenceStore {
  readonly #entries = new Map<string, { entry: Entry; version: string }>();
  readonly #users = new Map<string, string>();
  readonly #voice = new Map<VoiceScope, Map<string, { channel: string; since: number }>>();
  readonly #leases = new Map<string, number>();
  #versions = 0;

  async userOf(session: string): Promise<string | null> {
    return this.#users.get(session) ?? null;
  }

  async load(user: string): Promise<VersionedEntry> {
    return this.#entries.get(user) ?? { entry: null, version: '' };
  }

  async loadAll(users: readonly string[]): Promise<(Entry | null)[]> {
    return users.map((user) => this.#entries.get(user)?.entry ?? null);
  }

  async commit(user: string, before: VersionedEntry, after: Entry | null, leaseUntil: number): Promise<boolean> {
    if ((this.#entries.get(user)?.version ?? '') !== before.version) return false;
    this.put(user, after, leaseUntil);
    return true;
  }

  /** Sets an entry without comparing versions, to copy it from another store. */
  put(user: string, after: Entry | null, leaseUntil: number): void {
    const before = this.#entries.get(user)?.entry ?? null;
    for (const session of Object.keys(before?.sessions ?? {})) {
      if (this.#users.get(session) === user) this.#users.delete(session);
    }
    const left = before?.voice ?? null;
    if (left !== null) this.#leave(scopeOf(left), user);
    if (after === null) {
      this.#entries.delete(user);
      return;
    }
    this.#versions += 1;
    this.#entries.set(user, { entry: after, version: String(this.#versions) });
    for (const [session, { owner }] of Object.entries(after.sessions)) {
      this.#users.set(session, user);
      if (!this.#leases.has(owner)) this.#leases.set(owner, leaseUntil);
    }
    const { voice } = after;
    if (voice === null) return;
    const within = this.#voice.get(scopeOf(voice)) ?? new Map<string, { channel: string; since: number }>();
    this.#voice.set(scopeOf(voice), within.set(user, { channel: voice.channel, since: after.since }));
  }

  async voice(scope: VoiceScope): Promise<VoiceLists> {
    const lists: VoiceLists = {};
    const within = [...(this.#voice.get(scope) ?? [])].sort(([, a], [, b]) => a.since - b.since);
    for (const [user, { channel }] of within) {
      lists[channel] ??= [];
      lists[channel].push(user);
    }
    return lists;
  }

  async renew(owners: readonly string[], until: number): Promise<void> {
    for (const owner of owners) this.#leases.set(owner, until);
  }

  async lapsed(now: number): Promise<{ session: string; owner: string }[]> {
    const held = new Set<string>();
    const lapsed: { session: string; owner: string }[] = [];
    for (const { entry } of this.#entries.values()) {
      for (const [session, { owner }] of Object.entries(entry.sessions)) {
        held.add(owner);
        if ((this.#leases.get(owner) ?? 0) <= now) lapsed.push({ session, owner });
      }
    }
    for (const [owner, until] of this.#leases) if (until <= now && !held.has(owner)) this.#leases.delete(owner);
    return lapsed;
  }

  async due(now: number): Promise<string[]> {
    return [...this.#entries].filter(([, { entry }]) => dueAt(entry) <= now).map(([user]) => user);
  }

  /** All users with their entries. */
  all(): [user: string, entry: Entry][] {
    return [...this.#entries].map(([user, { entry }]) => [user, entry]);
  }

  #leave(scope: VoiceScope, user: string): void {
    const within = this.#voice.get(scope);
    within?.delete(user);
    if (within?.size === 0) this.#voice.delete(scope);
  }
}
