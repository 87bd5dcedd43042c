import type { Answer, Question, ShownPresence } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import { isCommunity, type PlaceKey } from '../../domain/place.ts';
import type { LocalSubscribers } from '../ports/local-subscribers.ts';
import type { ServerFacts } from '../ports/server-facts.ts';
import type { Sessions } from '../presence/sessions.ts';

/** Users of one list in an answer. A record of the bus holds about 700,000 bytes. */
const MAX_USERS = 10_000;

export interface ServerViewParts {
  readonly sessions: Sessions;
  readonly subscribers: LocalSubscribers;
  readonly facts: ServerFacts;
}

/** Answers what this server sees: sessions, places and its own state. */
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
    }
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
