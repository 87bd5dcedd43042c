import type { Answer, Question, ShownPresence, ShownSlowClient } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import { isCommunity, type PlaceKey } from '../../domain/place.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { ServerFacts } from '../ports/server-facts.ts';
import type { Sessions } from '../presence/sessions.ts';
import type { ForgetHere } from '../retention/forget-user.ts';
import type { TraceTable } from '../traces/trace-table.ts';

/** Users of one list in an answer. A record of the bus holds about 700,000 bytes. */
const MAX_USERS = 10_000;
/**
 * Places in an answer. Sums over servers lack the part of a server on which a place is not among
 * its busiest, so there are more of them than are shown.
 */
const MAX_PLACES = 200;
const MAX_SLOW_CLIENTS = 100;

export interface ServerViewParts {
  readonly sessions: Sessions;
  readonly subscribers: LocalSubscribers;
  readonly facts: ServerFacts;
  readonly forgetHere: ForgetHere;
  readonly traces: TraceTable;
}

/**
 * Answers what this server sees: sessions, places and its own state. It also forgets a user who is
 * erased, as one server asks all others.
 */
export class ServerView {
  readonly #parts: ServerViewParts;

  constructor(parts: ServerViewParts) {
    this.#parts = parts;
  }

  answer(question: Question): Answer {
    switch (question.type) {
      case 'sessions': {
        const sessions = this.#parts.sessions.of(question.userId);
        return { type: 'sessions', sessions: sessions.map(({ since, client }) => ({ since, ...client.facts() })) };
      }
      case 'presence':
        return { type: 'presence', ...this.#presence(question.place) };
      case 'server':
        return { type: 'server', ...this.#parts.facts.read() };
      case 'busiest':
        return { type: 'busiest', ...this.#parts.subscribers.busiest(MAX_PLACES) };
      case 'slow':
        return { type: 'slow', ...this.#slowClients() };
      case 'forget':
        return { type: 'forgotten', sessions: this.#parts.forgetHere.execute(question.userId) };
      case 'trace':
        return this.#parts.traces.answer(question);
    }
  }

  /** Looks at every session once: a millisecond for about 20,000 of them. */
  #slowClients(): { readonly clients: readonly ShownSlowClient[]; readonly leftOut: number } {
    const slow = Array.from(this.#parts.sessions.all(), (session) => ({ session, bytes: session.client.waitingBytes }))
      .filter(({ bytes }) => bytes > 0)
      .sort((a, b) => b.bytes - a.bytes);
    const clients = slow.slice(0, MAX_SLOW_CLIENTS).map(({ session: { userId, since, client }, bytes }) => {
      const { address, transport, subscriptions } = client.facts();
      return { userId, since, address, transport, subscriptions, waitingBytes: bytes };
    });
    return { clients, leftOut: slow.length - clients.length };
  }

  #presence(place: PlaceKey): ShownPresence {
    const { sessions, subscribers } = this.#parts;
    const subscribed = [...new Set(Array.from(subscribers.callers(place), ({ userId }) => userId))];
    const looking = isCommunity(place) ? [] : [...sessions.lookersAt(place)];
    const kept = (users: readonly UserId[]) => users.toSorted((a, b) => a - b).slice(0, MAX_USERS);
    const shown = { subscribed: kept(subscribed), looking: kept(looking) };
    const leftOut = subscribed.length + looking.length - shown.subscribed.length - shown.looking.length;
    return { ...shown, leftOut };
  }
}
