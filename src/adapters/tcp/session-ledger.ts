import { BoundedMap } from '../../application/bounded-map.ts';
import type { UserId } from '../../domain/ids.ts';
import { type Whereabouts, whereaboutsText } from '../../domain/whereabouts.ts';

/** One thing that has to be reported to presence. */
export type SessionUpdate =
  | { readonly kind: 'logout'; readonly sessionId: string }
  | { readonly kind: 'login'; readonly sessionId: string; readonly userId: UserId }
  | { readonly kind: 'whereabouts'; readonly userId: UserId; readonly whereabouts: Whereabouts };

interface LiveSession {
  readonly userId: UserId;
  /** Round in which the login was reported; -1 when that failed. */
  reportedIn: number;
}

/**
 * The sessions of this server that presence should know, and the part that was not reported. A
 * round begins when a connection is lost, and with each renewal. In each round, every live session
 * has to be reported once.
 */
export class SessionLedger {
  readonly #live = new Map<string, LiveSession>();
  /** Number of live sessions of each user. */
  readonly #users = new Map<UserId, number>();
  readonly #missedLogouts: BoundedMap<string, true>;
  readonly #missedMoves = new Map<UserId, Whereabouts>();
  #round = 0;
  #hasMissed = false;

  /**
   * @param maxMissedLogouts limit for logouts that are kept. Over it the oldest are dropped, since
   * presence forgets old sessions by itself.
   */
  constructor(maxMissedLogouts: number) {
    this.#missedLogouts = new BoundedMap(maxMissedLogouts);
  }

  /** Number of live sessions. */
  get size(): number {
    return this.#live.size;
  }

  /** True when a report failed since the last call of `unreported`. */
  get hasMissed(): boolean {
    return this.#hasMissed;
  }

  /** The session is live from now on, and its login is being reported. */
  began(sessionId: string, userId: UserId): void {
    if (!this.#live.has(sessionId)) this.#users.set(userId, (this.#users.get(userId) ?? 0) + 1);
    this.#live.set(sessionId, { userId, reportedIn: this.#round });
  }

  ended(sessionId: string): void {
    const session = this.#live.get(sessionId);
    if (session === undefined) return;
    this.#live.delete(sessionId);
    const others = (this.#users.get(session.userId) ?? 1) - 1;
    if (others > 0) this.#users.set(session.userId, others);
    else {
      this.#users.delete(session.userId);
      this.#missedMoves.delete(session.userId);
    }
  }

  missedLogin(sessionId: string): void {
    const session = this.#live.get(sessionId);
    if (session === undefined) return;
    session.reportedIn = -1;
    this.#hasMissed = true;
  }

  missedLogout(sessionId: string): void {
    this.#missedLogouts.set(sessionId, true);
    this.#hasMissed = true;
  }

  /** Does nothing for a user without a session here: their place is not reported again. */
  missedMove(userId: UserId, whereabouts: Whereabouts): void {
    if (!this.#users.has(userId)) return;
    this.#missedMoves.set(userId, whereabouts);
    this.#hasMissed = true;
  }

  /** Presence knows where the user looks now. A move that was missed before is out of date. */
  moveReported(userId: UserId): void {
    this.#missedMoves.delete(userId);
  }

  /** Presence has answered an update of `unreported`. */
  reported(update: SessionUpdate): void {
    if (update.kind === 'logout') this.#missedLogouts.delete(update.sessionId);
    else if (update.kind === 'whereabouts') {
      const missed = this.#missedMoves.get(update.userId);
      if (missed !== undefined && whereaboutsText(missed) === whereaboutsText(update.whereabouts)) {
        this.#missedMoves.delete(update.userId);
      }
    }
  }

  newRound(): void {
    this.#round += 1;
  }

  /**
   * Everything that has to be reported: first missed logouts, then logins, then places. Each update
   * is read from the current state when it is taken.
   */
  *unreported(): Generator<SessionUpdate> {
    this.#hasMissed = false;
    for (const sessionId of this.#missedLogouts.keys()) yield { kind: 'logout', sessionId };
    for (const [sessionId, session] of this.#live) {
      if (session.reportedIn === this.#round) continue;
      session.reportedIn = this.#round;
      yield { kind: 'login', sessionId, userId: session.userId };
    }
    for (const [userId, whereabouts] of this.#missedMoves) yield { kind: 'whereabouts', userId, whereabouts };
  }
}
