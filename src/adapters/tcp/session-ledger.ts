import type { UserId } from '../../domain/ids.ts';
import { type Whereabouts, whereaboutsText } from '../../domain/whereabouts.ts';

/** Something that presence has to be told. */
export type Fact =
  | { readonly kind: 'logout'; readonly sessionId: string }
  | { readonly kind: 'login'; readonly sessionId: string; readonly userId: UserId }
  | { readonly kind: 'whereabouts'; readonly userId: UserId; readonly whereabouts: Whereabouts };

interface Live {
  readonly userId: UserId;
  /** Round in which presence was told. */
  told: number;
}

/**
 * What presence should know of this server's sessions, and what of it has not been told. A *round* begins when a connection is lost
 * (and with each renewal): in it, all that is live has to be told once.
 */
export class SessionLedger {
  readonly #live = new Map<string, Live>();
  readonly #users = new Map<UserId, number>();
  readonly #missedLogouts = new Set<string>();
  readonly #missedMoves = new Map<UserId, Whereabouts>();
  readonly #mostMissed: number;
  #round = 0;
  #hasMissed = false;

  /** @param mostMissed logouts kept for telling again; the oldest go first, since presence forgets sessions by itself in the end */
  constructor(mostMissed: number) {
    this.#mostMissed = mostMissed;
  }

  /** Sessions live now. */
  get size(): number {
    return this.#live.size;
  }

  /** Whether something was missed since the last `untold` began. */
  get hasMissed(): boolean {
    return this.#hasMissed;
  }

  /** The session is live from now on, and its login on its way. */
  began(sessionId: string, userId: UserId): void {
    if (!this.#live.has(sessionId)) this.#users.set(userId, (this.#users.get(userId) ?? 0) + 1);
    this.#live.set(sessionId, { userId, told: this.#round });
  }

  ended(sessionId: string): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return;
    this.#live.delete(sessionId);
    const others = (this.#users.get(live.userId) ?? 1) - 1;
    if (others > 0) this.#users.set(live.userId, others);
    else {
      this.#users.delete(live.userId);
      this.#missedMoves.delete(live.userId);
    }
  }

  missedLogin(sessionId: string): void {
    const live = this.#live.get(sessionId);
    if (live === undefined) return;
    live.told = -1;
    this.#hasMissed = true;
  }

  missedLogout(sessionId: string): void {
    this.#missedLogouts.add(sessionId);
    this.#hasMissed = true;
    if (this.#missedLogouts.size <= this.#mostMissed) return;
    for (const oldest of this.#missedLogouts) {
      this.#missedLogouts.delete(oldest);
      return;
    }
  }

  /** Of a user without a session here it is not worth telling again. */
  missedMove(userId: UserId, whereabouts: Whereabouts): void {
    if (!this.#users.has(userId)) return;
    this.#missedMoves.set(userId, whereabouts);
    this.#hasMissed = true;
  }

  /** Presence knows where the user looks now: what was missed before is past. */
  moveReported(userId: UserId): void {
    this.#missedMoves.delete(userId);
  }

  /** A fact of `untold` was answered. */
  told(fact: Fact): void {
    if (fact.kind === 'logout') this.#missedLogouts.delete(fact.sessionId);
    else if (fact.kind === 'whereabouts') {
      const missed = this.#missedMoves.get(fact.userId);
      if (missed !== undefined && whereaboutsText(missed) === whereaboutsText(fact.whereabouts))
        this.#missedMoves.delete(fact.userId);
    }
  }

  newRound(): void {
    this.#round += 1;
  }

  /** All that has to be told, as it stands at the moment each fact is taken: logouts that were missed, logins, places. */
  *untold(): Generator<Fact> {
    this.#hasMissed = false;
    for (const sessionId of this.#missedLogouts) yield { kind: 'logout', sessionId };
    for (const [sessionId, live] of this.#live) {
      if (live.told === this.#round) continue;
      live.told = this.#round;
      yield { kind: 'login', sessionId, userId: live.userId };
    }
    for (const [userId, whereabouts] of this.#missedMoves) yield { kind: 'whereabouts', userId, whereabouts };
  }
}
