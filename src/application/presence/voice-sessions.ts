import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Telemetry } from '../ports/telemetry.ts';

interface VoiceSession {
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
}

export interface VoiceSessionsParts {
  readonly reporter: SessionReporter;
  readonly telemetry: Telemetry;
}

/**
 * The voice channels that users entered through this server. The presence service has the lists
 * that clients see. This server needs to know only whom to take out of voice when a community
 * removes them.
 */
export class VoiceSessions {
  readonly #parts: VoiceSessionsParts;
  readonly #sessions = new Map<UserId, VoiceSession>();
  readonly #users = new Map<CommunityId, Set<UserId>>();

  constructor(parts: VoiceSessionsParts) {
    this.#parts = parts;
  }

  entered(userId: UserId, session: VoiceSession): void {
    this.forget(userId);
    this.#sessions.set(userId, session);
    const users = this.#users.get(session.communityId) ?? new Set();
    this.#users.set(session.communityId, users.add(userId));
  }

  /** The user left the channel. They may have entered another one meanwhile. */
  left(userId: UserId, { communityId, channelId }: VoiceSession): void {
    const session = this.#sessions.get(userId);
    if (session?.communityId === communityId && session.channelId === channelId) this.forget(userId);
  }

  /** The last session of the user on this server ended. */
  forget(userId: UserId): void {
    const session = this.#sessions.get(userId);
    if (session === undefined) return;
    this.#sessions.delete(userId);
    const users = this.#users.get(session.communityId);
    users?.delete(userId);
    if (users?.size === 0) this.#users.delete(session.communityId);
  }

  /**
   * Takes users who are not members of the community any more out of its voice channels. While the
   * presence service cannot be reached they stay in, and the next call tries again.
   */
  async endRemoved(communityId: CommunityId, isMember: (userId: UserId) => boolean): Promise<void> {
    const removed = [...(this.#users.get(communityId) ?? [])].filter((userId) => !isMember(userId));
    await Promise.all(removed.map((userId) => this.#end(userId)));
  }

  async #end(userId: UserId): Promise<void> {
    const session = this.#sessions.get(userId);
    if (session === undefined) return;
    const { reporter, telemetry } = this.#parts;
    try {
      await reporter.leaveVoice(userId, session.communityId, session.channelId);
      if (this.#sessions.get(userId) === session) this.forget(userId);
    } catch (error) {
      telemetry.count('presence_failures');
      telemetry.log('debug', 'removed user not taken out of voice yet', { userId, error });
    }
  }
}
