import type { UserId } from '../../domain/ids.ts';
import { KeptConnection, type KeptConnectionOptions } from './kept-connection.ts';
import { login, logout, notLooking, type Question, RefusedRequest, state } from './presence-codec.ts';
import { type Fact, SessionLedger } from './session-ledger.ts';

export interface LaneOptions extends Omit<KeptConnectionOptions, 'events' | 'probe'> {
  readonly mostMissed: number;
  /** Facts told again that may be under way at once, so that what is new does not wait behind thousands. */
  readonly batch: number;
  readonly onLost: (reason: string) => void;
  readonly onReady: () => void;
}

/** Who of nobody is not looking: any answer shows that presence is there. */
const PROBE: Question<unknown> = { ...notLooking('r-1', []), read: () => null };

/** A connection and the sessions of those users whose requests all go through it, which is what keeps them in order. */
export class Lane {
  readonly ledger: SessionLedger;
  readonly connection: KeptConnection;
  readonly #batch: number;
  #telling: Generator<Fact> | undefined;
  #underWay = 0;
  #life = 0;

  constructor(options: LaneOptions) {
    this.ledger = new SessionLedger(options.mostMissed);
    this.#batch = options.batch;
    this.connection = new KeptConnection({
      ...options,
      probe: PROBE,
      events: {
        ready: () => {
          this.#life += 1;
          this.#underWay = 0;
          options.onReady();
          this.#tellAgain();
        },
        lost: (reason) => {
          this.#telling = undefined;
          this.ledger.newRound();
          options.onLost(reason);
        },
      },
    });
  }

  /** Asks, and tells afterwards what was missed while asking was not possible. */
  async ask<T>(question: Question<T>): Promise<T> {
    const answer = await this.connection.ask(question);
    if (this.ledger.hasMissed || this.#telling !== undefined) this.#tell();
    return answer;
  }

  /** Every live session is told again, and what was missed. */
  renew(): void {
    this.ledger.newRound();
    this.#tellAgain();
  }

  #tellAgain(): void {
    this.#telling = this.ledger.untold();
    this.#tell();
  }

  #tell(): void {
    while (this.connection.isFree && this.#underWay < this.#batch) {
      this.#telling ??= this.ledger.hasMissed ? this.ledger.untold() : undefined;
      const next = this.#telling?.next();
      if (next === undefined) return;
      if (next.done) this.#telling = undefined;
      else void this.#retell(next.value);
    }
  }

  async #retell(fact: Fact): Promise<void> {
    const life = this.#life;
    this.#underWay += 1;
    const isTold = await this.connection.ask<unknown>(questionOf(fact)).then(
      () => true,
      (error: unknown) => error instanceof RefusedRequest,
    );
    if (isTold) this.ledger.told(fact);
    else if (fact.kind === 'login') this.ledger.missedLogin(fact.sessionId);
    if (life !== this.#life) return;
    this.#underWay -= 1;
    this.#tell();
  }
}

function questionOf(fact: Fact): Question<unknown> {
  switch (fact.kind) {
    case 'login':
      return login(fact.sessionId, fact.userId);
    case 'logout':
      return logout(fact.sessionId);
    case 'whereabouts':
      return state(fact.userId, fact.whereabouts);
  }
}

/** Which of `lanes` a user's requests go through. */
export function laneOf(lanes: readonly Lane[], userId: UserId): Lane | undefined {
  return lanes[userId % lanes.length];
}
