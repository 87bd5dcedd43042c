import type { SessionReporter } from '../../application/ports/session-reporter.ts';
import type { VoiceState } from '../../domain/chat-event.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { type Whereabouts, whereaboutsText } from '../../domain/whereabouts.ts';

/** A voice channel that somebody left, and who is still in it (user ids as texts). */
export interface VoiceDeparture {
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly ids: readonly string[];
}

export interface MemorySessionReporterOptions {
  /** Told of each voice channel that was left, after the call that made it so has been answered. Must not throw. */
  readonly onVoiceLeft?: (left: VoiceDeparture) => void;
  /** For how long (ms) a place counts that was told of a user without a session; default 60 s. */
  readonly provisionalMs?: number;
  readonly now?: () => number;
}

type VoicePlace = Extract<Whereabouts, { kind: 'voice' }>;

interface Entry {
  whereabouts: Whereabouts | null;
  readonly sessions: Set<string>;
}

/** Presence inside the server's own process: what the presence service knows, for one server alone. Never rejects. */
export class MemorySessionReporter implements SessionReporter {
  readonly #entries = new Map<UserId, Entry>();
  readonly #users = new Map<string, UserId>();
  /** Community to those in its voice channels, in the order of entering. */
  readonly #voice = new Map<CommunityId, Map<UserId, ChannelId>>();
  /** Users with a place and no session, to the time at which they are forgotten, oldest first. */
  readonly #provisional = new Map<UserId, number>();
  readonly #onVoiceLeft: (left: VoiceDeparture) => void;
  readonly #provisionalMs: number;
  readonly #now: () => number;

  constructor(options: MemorySessionReporterOptions = {}) {
    this.#onVoiceLeft = options.onVoiceLeft ?? (() => {});
    this.#provisionalMs = options.provisionalMs ?? 60_000;
    this.#now = options.now ?? Date.now;
  }

  async login(sessionId: string, userId: UserId): Promise<void> {
    this.#forgetLapsed();
    const before = this.#users.get(sessionId);
    if (before !== undefined && before !== userId) this.#end(sessionId, before);
    const entry = this.#entries.get(userId) ?? { whereabouts: { kind: 'home' }, sessions: new Set() };
    entry.sessions.add(sessionId);
    this.#entries.set(userId, entry);
    this.#users.set(sessionId, userId);
    this.#provisional.delete(userId);
  }

  async logout(
    sessionId: string,
  ): Promise<{ readonly userId: UserId; readonly whereabouts: Whereabouts | null } | null> {
    this.#forgetLapsed();
    const userId = this.#users.get(sessionId);
    if (userId === undefined) return null;
    const whereabouts = this.#entries.get(userId)?.whereabouts ?? null;
    this.#end(sessionId, userId);
    return { userId, whereabouts };
  }

  async moved(userId: UserId, whereabouts: Whereabouts): Promise<Whereabouts | null> {
    this.#forgetLapsed();
    return this.#move(userId, whereabouts);
  }

  async notLooking(place: ConversationKey, ids: readonly UserId[]): Promise<UserId[]> {
    this.#forgetLapsed();
    return ids.filter((id) => {
      const at = this.#entries.get(id)?.whereabouts;
      return !(at?.kind === 'conversation' && at.key === place);
    });
  }

  async voice(_userId: UserId, communityId: CommunityId): Promise<VoiceState> {
    this.#forgetLapsed();
    return this.#lists(communityId);
  }

  async enterVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<VoiceState> {
    this.#forgetLapsed();
    const before = this.#move(userId, { kind: 'voice', communityId, channelId });
    const lists = this.#lists(communityId);
    // Clients merge these objects: a channel that was emptied by this very step has to be named to be cleared.
    if (before?.kind === 'voice' && before.communityId === communityId) lists[String(before.channelId)] ??= [];
    return lists;
  }

  #move(userId: UserId, whereabouts: Whereabouts): Whereabouts | null {
    const entry = this.#entries.get(userId) ?? { whereabouts: null, sessions: new Set() };
    const before = entry.whereabouts;
    if (before === null || whereaboutsText(before) !== whereaboutsText(whereabouts)) {
      if (before?.kind === 'voice') this.#leave(userId, before);
      if (whereabouts.kind === 'voice') {
        const within = this.#voice.get(whereabouts.communityId) ?? new Map<UserId, ChannelId>();
        this.#voice.set(whereabouts.communityId, within.set(userId, whereabouts.channelId));
      }
      entry.whereabouts = whereabouts;
    }
    this.#entries.set(userId, entry);
    if (entry.sessions.size === 0) {
      this.#provisional.delete(userId);
      this.#provisional.set(userId, this.#now() + this.#provisionalMs);
    }
    return before;
  }

  #end(sessionId: string, userId: UserId): void {
    this.#users.delete(sessionId);
    const entry = this.#entries.get(userId);
    entry?.sessions.delete(sessionId);
    if (entry?.sessions.size === 0) this.#forget(userId, entry);
  }

  #forget(userId: UserId, entry: Entry): void {
    this.#entries.delete(userId);
    this.#provisional.delete(userId);
    if (entry.whereabouts?.kind === 'voice') this.#leave(userId, entry.whereabouts);
  }

  #forgetLapsed(): void {
    if (this.#provisional.size === 0) return;
    const now = this.#now();
    for (const [userId, until] of this.#provisional) {
      if (until > now) return;
      const entry = this.#entries.get(userId);
      if (entry !== undefined) this.#forget(userId, entry);
    }
  }

  #leave(userId: UserId, { communityId, channelId }: VoicePlace): void {
    const within = this.#voice.get(communityId);
    within?.delete(userId);
    if (within?.size === 0) this.#voice.delete(communityId);
    const ids = this.#lists(communityId)[String(channelId)] ?? [];
    queueMicrotask(() => this.#onVoiceLeft({ communityId, channelId, ids }));
  }

  #lists(communityId: CommunityId): Record<string, string[]> {
    const lists: Record<string, string[]> = {};
    for (const [userId, channelId] of this.#voice.get(communityId) ?? []) {
      const key = String(channelId);
      lists[key] ??= [];
      lists[key].push(String(userId));
    }
    return lists;
  }
}
