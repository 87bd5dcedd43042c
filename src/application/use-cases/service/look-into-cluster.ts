import type { Answer, Question, ShownPresence, ShownServer, ShownSession } from '../../../domain/cluster-event.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { PlaceKey } from '../../../domain/place.ts';
import type { ClusterQuestions } from '../../cluster/cluster-questions.ts';
import type { ClusterView, OfServer } from '../../service-calls.ts';

type AnswerOf<Type extends Question['type']> = Extract<Answer, { readonly type: Type }>;

/** Shows sessions, places and servers over the whole cluster. */
export class LookIntoCluster {
  readonly #parts: { readonly questions: ClusterQuestions };

  constructor(parts: { readonly questions: ClusterQuestions }) {
    this.#parts = parts;
  }

  /** The user's sessions on all servers, the oldest first. */
  async sessions(userId: UserId): Promise<ClusterView<readonly OfServer<ShownSession>[]>> {
    const { answers, missing } = await this.#ask({ type: 'sessions', userId });
    const seen = answers.flatMap(({ server, answer }) => answer.sessions.map((session) => ({ server, ...session })));
    return { seen: seen.sort((a, b) => a.since - b.since), missing };
  }

  /** The users who are subscribed to the place or look at it on any server, by ascending id. */
  async presence(place: PlaceKey): Promise<ClusterView<ShownPresence>> {
    const { answers, missing } = await this.#ask({ type: 'presence', place });
    const all = (list: 'subscribed' | 'looking'): UserId[] =>
      [...new Set(answers.flatMap(({ answer }) => answer[list]))].sort((a, b) => a - b);
    const leftOut = answers.reduce((sum, { answer }) => sum + answer.leftOut, 0);
    return { seen: { subscribed: all('subscribed'), looking: all('looking'), leftOut }, missing };
  }

  /** The live servers, by id. */
  async servers(): Promise<ClusterView<readonly OfServer<ShownServer>[]>> {
    const { answers, missing } = await this.#ask({ type: 'server' });
    const seen = answers.map(({ server, answer: { type: _, ...facts } }) => ({ server, ...facts }));
    return { seen, missing };
  }

  async #ask<Type extends Question['type']>(question: Extract<Question, { readonly type: Type }>) {
    const { answers, missing } = await this.#parts.questions.ask(question);
    const isOfType = (given: { readonly server: string; readonly answer: Answer }) =>
      given.answer.type === question.type;
    return {
      answers: answers.filter(isOfType) as { readonly server: string; readonly answer: AnswerOf<Type> }[],
      missing,
    };
  }
}
