import { Refusal } from '../../../domain/errors.ts';
import { parseId } from '../../../domain/ids.ts';
import type { Connection } from '../../application.ts';
import type { Caller } from '../../commands.ts';
import type { Limits } from '../../limits.ts';
import type { Restrictions } from '../../moderation/restrictions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { TokenVerifier } from '../../ports/token-verifier.ts';
import type { UserDirectory } from '../../ports/user-directory.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';
import type { Sessions } from '../../presence/sessions.ts';

const BEARER = /^Bearer +/i;

export interface UserConnectedParts {
  readonly tokens: TokenVerifier;
  readonly sessions: Sessions;
  readonly clusterSessions: ClusterSessions;
  readonly reporter: SessionReporter;
  readonly users: UserDirectory;
  readonly limits: Limits;
  readonly restrictions: Restrictions;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Begins sessions and checks the tokens that name their users. */
export class UserConnected {
  readonly #parts: UserConnectedParts;

  constructor(parts: UserConnectedParts) {
    this.#parts = parts;
  }

  /** @throws Refusal `no-token`, `bad-token`, `not-permitted` for a banned user, `try-again` */
  authenticate(token: string | null, claimedUserId: string | null): Caller {
    const bare = token?.replace(BEARER, '').trim() ?? '';
    if (bare === '') throw new Refusal('no-token', 'the access token is missing');
    const { userId, expiresAt } = this.#parts.tokens.verify(bare);
    if (claimedUserId !== null && parseId(claimedUserId) !== userId) {
      throw new Refusal('bad-token', 'the access token does not belong to the user that the client claims to be');
    }
    this.#parts.restrictions.refuseBanned(userId);
    return { userId, token: bare, expiresAt };
  }

  /**
   * Begins a session. The presence service and the other servers are notified, but the caller does
   * not wait for them.
   * @throws Refusal as {@link authenticate}; `too-fast`
   */
  execute({ sessionId, token, claimedUserId, client }: Connection): Caller {
    const { sessions, clusterSessions, users, limits, clock } = this.#parts;
    const caller = this.authenticate(token, claimedUserId);
    const { userId } = caller;
    if (clusterSessions.sessionsOf(userId) >= limits.connectionsPerUser) {
      throw new Refusal('too-fast', `the user has too many connections; the limit is ${limits.connectionsPerUser}`);
    }
    const since = clock.now();
    if (!sessions.begin(sessionId, { userId, client, since }))
      throw new Refusal('internal', 'a session with this id exists already');
    clusterSessions.join(sessionId, userId);
    void this.#reportLogin(sessionId, userId);
    // The first message of the user then need not wait for the user service.
    if (users.authoritative) void users.profiles([userId]);
    return caller;
  }

  /** Checks a new token for a live session. @throws Refusal as {@link authenticate} */
  refresh(caller: Caller, token: string): Caller {
    const fresh = this.authenticate(token, null);
    if (fresh.userId !== caller.userId) {
      throw new Refusal('bad-token', 'the new access token belongs to another user than the session');
    }
    return fresh;
  }

  async #reportLogin(sessionId: string, userId: number): Promise<void> {
    const { reporter, telemetry } = this.#parts;
    try {
      await reporter.login(sessionId, userId);
    } catch (error) {
      telemetry.count('presence_failures');
      telemetry.log('debug', 'login not reported to presence yet', { sessionId, error });
    }
  }
}
