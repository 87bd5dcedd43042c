import type { UserId } from '../../domain/ids.ts';
import { PersistentConnection, type PersistentConnectionOptions } from './persistent-connection.ts';
import { login, logout, NonsenseReply, notLooking, type Question, RefusedRequest, state } from './presence-codec.ts';
import { SessionLedger, type SessionUpdate } from './session-ledger.ts';

export interface LaneOptions extends Omit<PersistentConnectionOptions, 'events' | 'probe'> {
  readonly maxMissedLogouts: number;
  /**
   * Limit for repeated reports under way at a time. New questions do not wait behind thousands of
   * them.
   */
  readonly maxRepeats: number;
  readonly onLost: (reason: string) => void;
  readonly onReady: () => void;
}

/**
 * A question about no users, which changes nothing. Any answer shows that presence works, except
 * the answer of an HTTP server, which is there if the address is wrong.
 */
const PROBE: Question<unknown> = {
  ...notLooking('r-1', []),
  read: (reply) => {
    if (reply.startsWith('HTTP/')) throw new NonsenseReply('an HTTP server answered, not the presence service');
    return null;
  },
};

/**
 * A connection to presence, and the sessions of the users whose requests all go through it in
 * order.
 */
export class Lane {
  readonly ledger: SessionLedger;
  readonly connection: PersistentConnection;
  readonly #maxRepeats: number;
  /** The updates that are being repeated. */
  #updates: Generator<SessionUpdate> | undefined;
  #repeats = 0;
  /** Counts the times at which the connection became ready. */
  #generation = 0;

  constructor(options: LaneOptions) {
    this.ledger = new SessionLedger(options.maxMissedLogouts);
    this.#maxRepeats = options.maxRepeats;
    this.connection = new PersistentConnection({
      ...options,
      probe: PROBE,
      events: {
        ready: () => {
          this.#generation += 1;
          this.#repeats = 0;
          options.onReady();
          this.#reportAll();
        },
        lost: (reason) => {
          this.#updates = undefined;
          this.ledger.newRound();
          options.onLost(reason);
        },
      },
    });
  }

  /**
   * Asks presence. After an answer it reports what was missed while presence could not be asked.
   */
  async ask<T>(question: Question<T>): Promise<T> {
    const answer = await this.connection.ask(question);
    if (this.ledger.hasMissed || this.#updates !== undefined) this.#repeat();
    return answer;
  }

  /** Asks the probe. Any answer shows that presence is there. */
  async check(): Promise<void> {
    await this.ask(PROBE);
  }

  /** Reports every live session again, and what was missed. */
  renew(): void {
    this.ledger.newRound();
    this.#reportAll();
  }

  #reportAll(): void {
    this.#updates = this.ledger.unreported();
    this.#repeat();
  }

  #repeat(): void {
    while (this.connection.isFree && this.#repeats < this.#maxRepeats) {
      this.#updates ??= this.ledger.hasMissed ? this.ledger.unreported() : undefined;
      const next = this.#updates?.next();
      if (next === undefined) return;
      if (next.done) this.#updates = undefined;
      else void this.#report(next.value);
    }
  }

  async #report(update: SessionUpdate): Promise<void> {
    const generation = this.#generation;
    this.#repeats += 1;
    const isReported = await this.connection.ask<unknown>(questionOf(update)).then(
      () => true,
      (error: unknown) => error instanceof RefusedRequest,
    );
    if (isReported) this.ledger.reported(update);
    else if (update.kind === 'login') this.ledger.missedLogin(update.sessionId);
    if (generation !== this.#generation) return;
    this.#repeats -= 1;
    this.#repeat();
  }
}

function questionOf(update: SessionUpdate): Question<unknown> {
  switch (update.kind) {
    case 'login':
      return login(update.sessionId, update.userId);
    case 'logout':
      return logout(update.sessionId);
    case 'whereabouts':
      return state(update.userId, update.whereabouts);
  }
}

/** The lane that a user's requests go through. */
export function laneOf(lanes: readonly Lane[], userId: UserId): Lane | undefined {
  return lanes[userId % lanes.length];
}
