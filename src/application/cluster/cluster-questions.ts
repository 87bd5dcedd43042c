import type { Answer, ClusterAnswer, ClusterQuestion, Question } from '../../domain/cluster-event.ts';
import type { Broadcast } from '../broadcast.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdSource } from '../ports/id-source.ts';

/** Longest time in which the other servers answer, in milliseconds. */
const ANSWER_MS = 1_500;

/** The kind of answer to a kind of question. */
export type AnswerTo<Q extends Question> = Extract<Answer, { readonly type: AnswerTypeOf<Q['type']> }>;

type AnswerTypeOf<T extends Question['type']> = T extends 'forget' ? 'forgotten' : T;

/** The answers of all servers to a question. */
export interface Answers<A extends Answer = Answer> {
  /** By server id, in the order of the ids. This server is one of them. */
  readonly answers: readonly { readonly server: string; readonly answer: A }[];
  /** Ids of the live servers that did not answer in time. */
  readonly missing: readonly string[];
}

interface OpenQuestion {
  readonly waiting: Set<string>;
  readonly answers: Map<string, Answer>;
  readonly done: () => void;
}

export interface ClusterQuestionsParts {
  readonly server: string;
  readonly broadcast: Broadcast;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Ids of the other servers that are alive. */
  readonly others: () => Iterable<string>;
  /** This server's answer. */
  readonly answer: (question: Question) => Answer;
}

/** Asks all servers of the cluster something, over the bus, and collects their answers. */
export class ClusterQuestions {
  readonly #parts: ClusterQuestionsParts;
  readonly #open = new Map<string, OpenQuestion>();

  constructor(parts: ClusterQuestionsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when every live server has answered, after 1.5 s at the latest. Never rejects for a
   * server that does not answer. An answer to another question does not count.
   */
  async ask<Q extends Question>(question: Q): Promise<Answers<AnswerTo<Q>>> {
    const { server, broadcast, clock, ids, others, answer } = this.#parts;
    const waiting = new Set(others());
    const answers = new Map([[server, answer(question)]]);
    if (waiting.size > 0) {
      const id = ids.secret();
      await new Promise<void>((resolve) => {
        const timer = clock.after(ANSWER_MS, resolve);
        const done = (): void => {
          timer.cancel();
          resolve();
        };
        this.#open.set(id, { waiting, answers, done });
        void broadcast.send({ kind: 'question', server, id, question });
      });
      this.#open.delete(id);
    }
    const byId = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
    const given = [...answers].sort(byId).map(([from, answer]) => ({ server: from, answer }));
    const isOfType = (one: (typeof given)[number]): one is { server: string; answer: AnswerTo<Q> } =>
      one.answer.type === (question.type === 'forget' ? 'forgotten' : question.type);
    return {
      answers: given.filter(isOfType),
      missing: [...waiting].sort(),
    };
  }

  /** Another server asks. */
  asked({ id, question }: ClusterQuestion): void {
    const { server, broadcast, answer } = this.#parts;
    void broadcast.send({ kind: 'answer', server, id, answer: answer(question) });
  }

  /** Another server answers, this one or a third one. */
  answered({ id, server, answer }: ClusterAnswer): void {
    const open = this.#open.get(id);
    if (open === undefined || open.answers.has(server)) return;
    open.answers.set(server, answer);
    open.waiting.delete(server);
    if (open.waiting.size === 0) open.done();
  }
}
