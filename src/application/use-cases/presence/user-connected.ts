import { Refusal } from '../../../domain/errors.ts';
import { parseId } from '../../../domain/ids.ts';
import type { Connection } from '../../application.ts';
import type { Caller } from '../../commands.ts';
import type { Limits } from '../../limits.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { TokenVerifier } from '../../ports/token-verifier.ts';
import type { UserDirectory } from '../../ports/user-directory.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';
import type { Sessions } from '../../presence/sessions.ts';

/** A session begins: the token says whose. Presence and the others are told behind it. */
export class UserConnected {
  readonly #tokens: TokenVerifier;
  readonly #sessions: Sessions;
  readonly #clusterSessions: ClusterSessions;
  readonly #reporter: SessionReporter;
  readonly #users: UserDirectory;
  readonly #limits: Limits;
  readonly #telemetry: Telemetry;

  constructor(parts: {
    tokens: TokenVerifier;
    sessions: Sessions;
    clusterSessions: ClusterSessions;
    reporter: SessionReporter;
    users: UserDirectory;
    limits: Limits;
    telemetry: Telemetry;
  }) {
    this.#tokens = parts.tokens;
    this.#sessions = parts.sessions;
    this.#clusterSessions = parts.clusterSessions;
    this.#reporter = parts.reporter;
    this.#users = parts.users;
    this.#limits = parts.limits;
    this.#telemetry = parts.telemetry;
  }

  /** @throws Refusal `no-token`, `bad-token` */
  authenticate(token: string | null, claimedUserId: string | null): Caller {
    if (token === null || token === '') throw new Refusal('no-token', 'the access token is missing');
    const { userId, account, expiresAt } = this.#tokens.verify(token);
    if (claimedUserId !== null && parseId(claimedUserId) !== userId) {
      throw new Refusal('bad-token', 'the token belongs to another user');
    }
    return { userId, account, token, expiresAt };
  }

  /** @throws Refusal `no-token`, `bad-token`, `too-fast` */
  execute({ sessionId, token, claimedUserId }: Connection): Caller {
    const caller = this.authenticate(token, claimedUserId);
    const { userId } = caller;
    if (this.#clusterSessions.sessionsHere(userId) >= this.#limits.connectionsPerUser) {
      throw new Refusal('too-fast', 'too many connections of one user');
    }
    if (!this.#sessions.begin(sessionId, userId)) throw new Refusal('internal', 'this session exists already');
    this.#clusterSessions.join(sessionId, userId);
    this.#reporter.login(sessionId, userId).catch((error: unknown) => {
      this.#telemetry.count('presence_failures');
      this.#telemetry.log('debug', 'login waits for presence', { sessionId, reason: String(error) });
    });
    if (this.#users.authoritative) void this.#users.profiles([userId]);
    return caller;
  }

  /** @throws Refusal `no-token`, `bad-token` */
  refresh(caller: Caller, token: string): Caller {
    const fresh = this.authenticate(token, null);
    if (fresh.userId !== caller.userId) throw new Refusal('bad-token', 'the token belongs to another user');
    return fresh;
  }
}
