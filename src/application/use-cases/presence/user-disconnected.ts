import type { ClusterSessions } from '../../presence/cluster-sessions.ts';
import type { Logouts } from '../../presence/logouts.ts';
import type { Sessions } from '../../presence/sessions.ts';

export interface UserDisconnectedParts {
  readonly sessions: Sessions;
  readonly clusterSessions: ClusterSessions;
  readonly logouts: Logouts;
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
    const { sessions, clusterSessions, logouts } = this.#parts;
    const session = sessions.end(sessionId);
    if (session === undefined) return;
    const { userId, whereabouts } = session;
    clusterSessions.leave(sessionId);
    logouts.ended(sessionId, userId, whereabouts?.kind === 'conversation' ? whereabouts.key : null);
  }
}
