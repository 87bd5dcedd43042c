import type { VoiceState } from '../../domain/chat-event.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';

/** An ended session: its user, and where they looked last (null when presence does not know). */
export interface EndedSession {
  readonly userId: UserId;
  readonly whereabouts: Whereabouts | null;
}

/**
 * Reports to the presence service which sessions begin and end and where users look, and asks it.
 *
 * Order: calls for the same user take effect in the order of the calls.
 *
 * Errors: every method rejects with `Refusal('try-again')` when presence is not reached, does not
 * answer within a limit well below 1 s, or gives an answer that makes no sense. No message waits
 * for presence. A login or logout that was rejected has only not happened yet: the reporter repeats
 * it, in order, when presence is back. It then also reports every session again that is still live.
 */
export interface SessionReporter {
  /** A session began. Repeating it changes nothing. */
  login(sessionId: string, userId: UserId): Promise<void>;
  /** A session ended. Resolves to null when presence does not know the session. */
  logout(sessionId: string): Promise<EndedSession | null>;
  /** The user looks at another place. Resolves to the place before. */
  moved(userId: UserId, whereabouts: Whereabouts): Promise<Whereabouts | null>;
  /** Resolves to those of `ids` who do not look at the conversation now. */
  notLooking(place: ConversationKey, ids: readonly UserId[]): Promise<UserId[]>;
  /** Resolves to the users in each voice channel of the community. */
  voice(userId: UserId, communityId: CommunityId): Promise<VoiceState>;
  /**
   * The user enters a voice channel, and leaves the one they were in. They stay in it wherever they
   * look, until they enter another one, leave it, or their last session ends. Resolves to the users
   * in each voice channel afterwards. If the user left another channel by this and it is empty now,
   * its list is empty.
   */
  enterVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<VoiceState>;
  /**
   * The user leaves a voice channel. Changes nothing when they are not in it. As for every way in
   * which a voice session ends, presence then reports who is still in the channel.
   */
  leaveVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<void>;
  /**
   * A service reported by a call who is still in a voice channel. A reporter with lists of its own
   * takes everybody else out of the channel, at once and without another report. A presence service
   * has done so before it makes the call. Never rejects.
   */
  voiceReported(communityId: CommunityId, channelId: ChannelId, ids: readonly string[]): Promise<void>;
}
