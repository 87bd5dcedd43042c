import type { EndedSession, SessionReporter } from '../../application/ports/session-reporter.ts';
import type { VoiceState } from '../../domain/chat-event.ts';
import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';
import type { HubClient } from './hub-client.ts';

const TIMEOUT_MS = 500;
/** Limit of a repeated report, which waits for the connection. */
const REPEAT_MS = 10_000;

/** The last reports of this server about a user who has a session here. */
interface Reported {
  /** Few of them, so a list is searched. It takes a third of the memory of a set. */
  sessions: readonly string[];
  whereabouts: Whereabouts | null;
  voice: { readonly communityId: CommunityId; readonly channelId: ChannelId } | null;
}

/**
 * Presence in the hub, which all workers of one machine share. A hub that was started anew knows
 * nobody. Then each worker reports its live sessions, where their users look, and their voice
 * channels.
 */
export class HubSessionReporter implements SessionReporter {
  readonly #hub: HubClient;
  readonly #reported = new Map<UserId, Reported>();
  readonly #users = new Map<string, UserId>();
  /** Ended sessions that a hub which goes on may still have. */
  readonly #missedLogouts = new Set<string>();

  constructor(hub: HubClient) {
    this.#hub = hub;
    hub.listen({ joined: () => this.#reportAll() });
  }

  async login(sessionId: string, userId: UserId): Promise<void> {
    const reported = this.#reported.get(userId) ?? { sessions: [], whereabouts: null, voice: null };
    if (!reported.sessions.includes(sessionId)) reported.sessions = [...reported.sessions, sessionId];
    this.#reported.set(userId, reported);
    this.#users.set(sessionId, userId);
    await this.#call('login', sessionId, userId);
  }

  async logout(sessionId: string): Promise<EndedSession | null> {
    const userId = this.#users.get(sessionId);
    this.#users.delete(sessionId);
    if (userId !== undefined) {
      const reported = this.#reported.get(userId);
      if (reported !== undefined) reported.sessions = reported.sessions.filter((session) => session !== sessionId);
      if (reported?.sessions.length === 0) this.#reported.delete(userId);
    }
    try {
      return (await this.#call('logout', sessionId)) as EndedSession | null;
    } catch (error) {
      this.#missedLogouts.add(sessionId);
      throw error;
    }
  }

  async moved(userId: UserId, whereabouts: Whereabouts): Promise<Whereabouts | null> {
    const reported = this.#reported.get(userId);
    if (reported !== undefined) {
      reported.whereabouts = whereabouts;
      if (whereabouts.kind === 'voice') reported.voice = whereabouts;
    }
    return (await this.#call('moved', userId, whereabouts)) as Whereabouts | null;
  }

  async notLooking(place: ConversationKey, ids: readonly UserId[]): Promise<UserId[]> {
    return (await this.#call('notLooking', place, ids)) as UserId[];
  }

  async voice(userId: UserId, communityId: CommunityId): Promise<VoiceState> {
    return (await this.#call('voice', userId, communityId)) as VoiceState;
  }

  async enterVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<VoiceState> {
    const reported = this.#reported.get(userId);
    if (reported !== undefined) {
      reported.whereabouts = { kind: 'voice', communityId, channelId };
      reported.voice = { communityId, channelId };
    }
    return (await this.#call('enterVoice', userId, communityId, channelId)) as VoiceState;
  }

  async leaveVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<void> {
    const reported = this.#reported.get(userId);
    if (reported?.voice?.communityId === communityId && reported.voice.channelId === channelId) reported.voice = null;
    await this.#call('leaveVoice', userId, communityId, channelId);
  }

  async voiceReported(communityId: CommunityId, channelId: ChannelId, ids: readonly string[]): Promise<void> {
    for (const [userId, reported] of this.#reported) {
      const { voice } = reported;
      if (voice?.communityId !== communityId || voice.channelId !== channelId) continue;
      if (!ids.includes(String(userId))) reported.voice = null;
    }
    await this.#call('voiceReported', communityId, channelId, ids).catch(() => {});
  }

  #reportAll(): void {
    const again = (method: keyof SessionReporter, ...args: readonly unknown[]): void => {
      this.#hub.call('presence', method, args, REPEAT_MS).catch(() => {});
    };
    for (const sessionId of this.#missedLogouts) again('logout', sessionId);
    this.#missedLogouts.clear();
    for (const [userId, { sessions, whereabouts, voice }] of this.#reported) {
      for (const sessionId of sessions) again('login', sessionId, userId);
      if (voice !== null) again('enterVoice', userId, voice.communityId, voice.channelId);
      if (whereabouts !== null && whereabouts.kind !== 'voice') again('moved', userId, whereabouts);
    }
  }

  async #call(method: keyof SessionReporter, ...args: readonly unknown[]): Promise<unknown> {
    try {
      return await this.#hub.call('presence', method, args, TIMEOUT_MS);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      throw new Refusal('try-again', 'presence does not answer; try again', { cause });
    }
  }
}
