import type { ClusterSessions } from '../../presence/cluster-sessions.ts';
import type { Logouts } from '../../presence/logouts.ts';
import type { Sessions } from '../../presence/sessions.ts';
import type { VoiceSessions } from '../../presence/voice-sessions.ts';

export interface UserDisconnectedParts {
  readonly sessions: Sessions;
  readonly clusterSessions: ClusterSessions;
  readonly logouts: Logouts;
  readonly voiceSessions: VoiceSessions;
}

/**
 * Ends a session, for whatever reason it ends. The presence service is notified at once, and the
 * conversation that the user looked at last counts as read. Other users are notified later, if the
 * user stays away.
 */
export class UserDisconnected {
  readonly #parts: UserDisconnectedParts;

  constructor(parts: UserDisconnectedParts) {
    this.#parts = parts;
  }

  /** Does nothing when the session has ended already. Never throws. */
  execute(sessionId: string): void {
    const { sessions, clusterSessions, logouts, voiceSessions } = this.#parts;
    const session = sessions.end(sessionId);
    if (session === undefined) return;
    const { userId, whereabouts } = session;
    clusterSessions.leave(sessionId);
    if (clusterSessions.sessionsHere(userId) === 0) voiceSessions.forget(userId);
    logouts.ended(sessionId, userId, whereabouts?.kind === 'conversation' ? whereabouts.key : null);
  }
}
