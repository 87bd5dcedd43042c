import type { VoiceState } from '../../domain/chat-event.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';

/**
 * Tells the presence service who came, went and looks where, and asks it.
 *
 * Every method rejects with `Refusal('try-again')` when presence is not reached, does not answer within its bound (well below 1 s) or answers nonsense; nobody's message
 * waits for it. What `login` and `logout` could not tell is told, in order, when presence is back, and so is every session that is then still live: the
 * rejection only says that it has not happened yet.
 */
export interface SessionReporter {
  login(sessionId: string, userId: UserId): Promise<void>;
  /** Whose session it was and where he looked last; null where presence does not know the session. */
  logout(sessionId: string): Promise<{ readonly userId: UserId; readonly whereabouts: Whereabouts | null } | null>;
  /** The user looks at `place` now; resolves to where he looked before. */
  moved(userId: UserId, whereabouts: Whereabouts): Promise<Whereabouts | null>;
  /** Those of `ids` who are not looking at that conversation now. */
  notLooking(place: ConversationKey, ids: readonly UserId[]): Promise<UserId[]>;
  /** Who is in the community's voice channels. */
  voice(userId: UserId, communityId: CommunityId): Promise<VoiceState>;
  /** The user enters a voice channel; resolves to who is in which afterwards. */
  enterVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<VoiceState>;
}
