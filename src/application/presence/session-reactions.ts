import type { UserId } from '../../domain/ids.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Announcer } from './announcer.ts';
import type { ClusterSessionsListener, Responsibility } from './cluster-sessions.ts';
import type { Logouts } from './logouts.ts';
import type { Sessions } from './sessions.ts';

export interface SessionReactionsParts {
  readonly sessions: Sessions;
  readonly reporter: SessionReporter;
  readonly announcer: Announcer;
  readonly logouts: Logouts;
}

/** The reactions of this server to changes of the cluster's sessions. */
export class SessionReactions implements ClusterSessionsListener {
  readonly #parts: SessionReactionsParts;

  constructor(parts: SessionReactionsParts) {
    this.#parts = parts;
  }

  online(userId: UserId, isHere: boolean): void {
    this.#parts.announcer.cameOnline(userId, isHere);
  }

  offline(userId: UserId, responsibility: Responsibility): void {
    this.#parts.announcer.wentOffline(userId, responsibility);
  }

  orphaned(sessions: ReadonlyMap<string, UserId>): void {
    void this.#parts.logouts.orphaned(sessions.keys());
  }

  /** The other servers may have ended the sessions of this server with the presence service. */
  revived(): void {
    for (const [sessionId, userId] of this.#parts.sessions.users()) this.#login(sessionId, userId);
  }

  /** Another server announced a user as offline who has a session here. */
  misjudged(userId: UserId): void {
    const { sessions, reporter, announcer } = this.#parts;
    for (const [sessionId, owner] of sessions.users()) if (owner === userId) this.#login(sessionId, userId);
    // The logout that the other server caused has removed the place as well.
    const place = sessions.of(userId).findLast(({ whereabouts }) => whereabouts !== null)?.whereabouts ?? null;
    if (place !== null) reporter.moved(userId, place).catch(() => undefined);
    announcer.announce(userId, 'connect');
  }

  #login(sessionId: string, userId: UserId): void {
    // The reporter keeps a login that fails and repeats it.
    this.#parts.reporter.login(sessionId, userId).catch(() => undefined);
  }
}
