import type { ShownPresence, ShownServer, ShownSession, ShownSlowClient } from '../../../domain/cluster-event.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { PlaceKey } from '../../../domain/place.ts';
import type { ClusterQuestions } from '../../cluster/cluster-questions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterView, OfServer, PlaceRates, SlowClients } from '../../service-calls.ts';

export interface LookIntoClusterParts {
  readonly questions: ClusterQuestions;
  readonly clock: Pick<Clock, 'after'>;
}

/** Time in which servers count before they are asked for the busiest places, in milliseconds. */
const MIN_COUNTED_MS = 1_000;

/** Shows sessions, places and servers over the whole cluster. */
export class LookIntoCluster {
  readonly #parts: LookIntoClusterParts;

  constructor(parts: LookIntoClusterParts) {
    this.#parts = parts;
  }

  /** The user's sessions on all servers, the oldest first. */
  async sessions(userId: UserId): Promise<ClusterView<readonly OfServer<ShownSession>[]>> {
    const { answers, missing } = await this.#parts.questions.ask({ type: 'sessions', userId });
    const seen = answers.flatMap(({ server, answer }) => answer.sessions.map((session) => ({ server, ...session })));
    return { seen: seen.sort((a, b) => a.since - b.since), missing };
  }

  /** The users who are subscribed to the place or look at it on any server, by ascending id. */
  async presence(place: PlaceKey): Promise<ClusterView<ShownPresence>> {
    const { answers, missing } = await this.#parts.questions.ask({ type: 'presence', place });
    const all = (list: 'subscribed' | 'looking'): UserId[] =>
      [...new Set(answers.flatMap(({ answer }) => answer[list]))].sort((a, b) => a - b);
    const leftOut = answers.reduce((sum, { answer }) => sum + answer.leftOut, 0);
    return { seen: { subscribed: all('subscribed'), looking: all('looking'), leftOut }, missing };
  }

  /** The live servers, by id. */
  async servers(): Promise<ClusterView<readonly OfServer<ShownServer>[]>> {
    const { answers, missing } = await this.#parts.questions.ask({ type: 'server' });
    const seen = answers.map(({ server, answer: { type: _, ...facts } }) => ({ server, ...facts }));
    return { seen, missing };
  }

  /**
   * The busiest places, at most `max`. Servers count only while somebody asks. Where one has just
   * begun, all of them are asked again a second later.
   */
  async busiest(max: number): Promise<ClusterView<readonly PlaceRates[]>> {
    let asked = await this.#parts.questions.ask({ type: 'busiest' });
    if (asked.answers.some(({ answer }) => answer.seconds * 1_000 < MIN_COUNTED_MS)) {
      await new Promise<void>((resolve) => this.#parts.clock.after(MIN_COUNTED_MS, resolve));
      asked = await this.#parts.questions.ask({ type: 'busiest' });
    }
    const rates = new Map<PlaceKey, PlaceRates>();
    for (const { answer } of asked.answers) {
      const perSecond = (count: number): number => (answer.seconds === 0 ? 0 : count / answer.seconds);
      for (const { place, events, deliveries, subscriptions } of answer.places) {
        const sum = rates.get(place);
        rates.set(place, {
          place,
          // Every server hears every event of the place.
          eventsPerSecond: Math.max(sum?.eventsPerSecond ?? 0, perSecond(events)),
          deliveriesPerSecond: (sum?.deliveriesPerSecond ?? 0) + perSecond(deliveries),
          subscriptions: (sum?.subscriptions ?? 0) + subscriptions,
        });
      }
    }
    const seen = [...rates.values()].sort(
      (a, b) => b.deliveriesPerSecond - a.deliveriesPerSecond || b.eventsPerSecond - a.eventsPerSecond,
    );
    return { seen: seen.slice(0, max), missing: asked.missing };
  }

  /** The sessions with the most waiting bytes, at most `max`, the slowest first. */
  async slowClients(max: number): Promise<ClusterView<SlowClients>> {
    const { answers, missing } = await this.#parts.questions.ask({ type: 'slow' });
    const all: OfServer<ShownSlowClient>[] = answers
      .flatMap(({ server, answer }) => answer.clients.map((client) => ({ server, ...client })))
      .sort((a, b) => b.waitingBytes - a.waitingBytes);
    const clients = all.slice(0, max);
    const leftOut = answers.reduce((sum, { answer }) => sum + answer.leftOut, all.length - clients.length);
    return { seen: { clients, leftOut }, missing };
  }
}
