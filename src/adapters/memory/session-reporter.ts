import type { EndedSession, SessionReporter } from '../../application/ports/session-reporter.ts';
import type { VoiceState } from '../../domain/chat-event.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { type Whereabouts, whereaboutsText } from '../../domain/whereabouts.ts';

/** A voice channel that a user left, with the ids of the users who are still in it, as texts. */
export interface VoiceDeparture {
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly ids: readonly string[];
}

export interface MemorySessionReporterOptions {
  /**
   * Called for each voice channel that a user left, after the call that caused it was answered.
   * Must not throw.
   */
  readonly onVoiceLeft?: (left: VoiceDeparture) => void;
  /** How long the place of a user without a session counts, in milliseconds; default 60 s. */
  readonly provisionalMs?: number;
  /** Milliseconds; only differences count. Default: a monotonic clock. */
  readonly now?: () => number;
}

type VoicePlace = Extract<Whereabouts, { kind: 'voice' }>;

const HOME: Whereabouts = { kind: 'home' };

interface Entry {
  whereabouts: Whereabouts | null;
  /** The voice channel that the user is in, wherever they look. */
  voice: VoicePlace | null;
  /** Few of them, so a list is searched. It takes a third of the memory of a set. */
  sessions: readonly string[];
}

/**
 * The state of the presence service, kept inside the server's own process, for a single server.
 * Never rejects.
 */
export class MemorySessionReporter implements SessionReporter {
  readonly #entries = new Map<UserId, Entry>();
  readonly #users = new Map<string, UserId>();
  /** The users in each community's voice channels, in the order of entering. */
  readonly #voice = new Map<CommunityId, Map<UserId, ChannelId>>();
  /**
   * Users with a place but without a session, with the time at which they are forgotten, oldest
   * first.
   */
  readonly #provisional = new Map<UserId, number>();
  readonly #onVoiceLeft: (left: VoiceDeparture) => void;
  readonly #provisionalMs: number;
  readonly #now: () => number;

  constructor(options: MemorySessionReporterOptions = {}) {
    this.#onVoiceLeft = options.onVoiceLeft ?? (() => {});
    this.#provisionalMs = options.provisionalMs ?? 60_000;
    this.#now = options.now ?? (() => performance.now());
  }

  async login(sessionId: string, userId: UserId): Promise<void> {
    this.#forgetExpired();
    const before = this.#users.get(sessionId);
    if (before !== undefined && before !== userId) this.#end(sessionId, before);
    const entry = this.#entries.get(userId) ?? { whereabouts: HOME, voice: null, sessions: [] };
    if (before !== userId) entry.sessions = [...entry.sessions, sessionId];
    this.#entries.set(userId, entry);
    this.#users.set(sessionId, userId);
    this.#provisional.delete(userId);
  }

  async logout(sessionId: string): Promise<EndedSession | null> {
    this.#forgetExpired();
    const userId = this.#users.get(sessionId);
    if (userId === undefined) return null;
    const whereabouts = this.#entries.get(userId)?.whereabouts ?? null;
    this.#end(sessionId, userId);
    return { userId, whereabouts };
  }

  async moved(userId: UserId, whereabouts: Whereabouts): Promise<Whereabouts | null> {
    this.#forgetExpired();
    return this.#move(userId, whereabouts);
  }

  async notLooking(place: ConversationKey, ids: readonly UserId[]): Promise<UserId[]> {
    this.#forgetExpired();
    return ids.filter((id) => {
      const at = this.#entries.get(id)?.whereabouts;
      return !(at?.kind === 'conversation' && at.key === place);
    });
  }

  async voice(_userId: UserId, communityId: CommunityId): Promise<VoiceState> {
    this.#forgetExpired();
    return this.#lists(communityId);
  }

  async enterVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<VoiceState> {
    this.#forgetExpired();
    const before = this.#entries.get(userId)?.voice ?? null;
    this.#move(userId, { kind: 'voice', communityId, channelId });
    const lists = this.#lists(communityId);
    // Clients merge these objects. To clear a channel that has just become empty, it must be named.
    if (before?.communityId === communityId) lists[String(before.channelId)] ??= [];
    return lists;
  }

  async leaveVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<void> {
    this.#forgetExpired();
    const entry = this.#entries.get(userId);
    if (entry?.voice?.communityId === communityId && entry.voice.channelId === channelId) this.#leave(userId, entry);
  }

  async voiceReported(communityId: CommunityId, channelId: ChannelId, ids: readonly string[]): Promise<void> {
    const within = [...(this.#voice.get(communityId) ?? [])];
    for (const [userId, channel] of within) {
      const entry = this.#entries.get(userId);
      if (channel === channelId && !ids.includes(String(userId)) && entry !== undefined) this.#takeOut(userId, entry);
    }
  }

  /** Ends all sessions, and forgets where users look, when nobody is left who could report it. */
  forgetAll(): void {
    this.#entries.clear();
    this.#users.clear();
    this.#voice.clear();
    this.#provisional.clear();
  }

  #move(userId: UserId, whereabouts: Whereabouts): Whereabouts | null {
    const entry = this.#entries.get(userId) ?? { whereabouts: null, voice: null, sessions: [] };
    const before = entry.whereabouts;
    if (whereabouts.kind === 'voice') this.#enter(userId, entry, whereabouts);
    entry.whereabouts = whereabouts;
    this.#entries.set(userId, entry);
    if (entry.sessions.length === 0) {
      this.#provisional.delete(userId);
      this.#provisional.set(userId, this.#now() + this.#provisionalMs);
    }
    return before;
  }

  #end(sessionId: string, userId: UserId): void {
    this.#users.delete(sessionId);
    const entry = this.#entries.get(userId);
    if (entry === undefined) return;
    entry.sessions = entry.sessions.filter((session) => session !== sessionId);
    if (entry.sessions.length === 0) this.#forget(userId, entry);
  }

  #forget(userId: UserId, entry: Entry): void {
    this.#entries.delete(userId);
    this.#provisional.delete(userId);
    this.#leave(userId, entry);
  }

  #forgetExpired(): void {
    if (this.#provisional.size === 0) return;
    const now = this.#now();
    for (const [userId, until] of this.#provisional) {
      if (until > now) return;
      const entry = this.#entries.get(userId);
      if (entry !== undefined) this.#forget(userId, entry);
    }
  }

  #enter(userId: UserId, entry: Entry, voice: VoicePlace): void {
    if (entry.voice !== null && whereaboutsText(entry.voice) === whereaboutsText(voice)) return;
    this.#leave(userId, entry);
    const within = this.#voice.get(voice.communityId) ?? new Map<UserId, ChannelId>();
    this.#voice.set(voice.communityId, within.set(userId, voice.channelId));
    entry.voice = voice;
  }

  /** Takes the user out of the voice channel that they are in, and reports it. */
  #leave(userId: UserId, entry: Entry): void {
    const left = this.#takeOut(userId, entry);
    if (left === null) return;
    const { communityId, channelId } = left;
    queueMicrotask(() => {
      const ids = this.#lists(communityId)[String(channelId)] ?? [];
      this.#onVoiceLeft({ communityId, channelId, ids });
    });
  }

  /**
   * Returns the voice channel that the user was in. A user who looked at it is at home afterwards.
   */
  #takeOut(userId: UserId, entry: Entry): VoicePlace | null {
    const left = entry.voice;
    if (left === null) return null;
    entry.voice = null;
    if (entry.whereabouts?.kind === 'voice') entry.whereabouts = HOME;
    const { communityId } = left;
    const within = this.#voice.get(communityId);
    within?.delete(userId);
    if (within?.size === 0) this.#voice.delete(communityId);
    return left;
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
