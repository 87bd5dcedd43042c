import type { ConversationKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageStore } from '../ports/message-store.ts';

interface Question {
  readonly answer: Promise<number>;
  resolve(seq: number): void;
  reject(error: unknown): void;
}

/**
 * Reads the newest numbers of places for many callers in few queries. Callers that ask while a
 * query is under way share the next one, so each answer was read after it was asked for.
 */
export class NewestReader {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  #waiting = new Map<ConversationKey, Question>();
  #reading = false;

  constructor(store: MessageStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The newest number of the place, 0 for none. Rejects as the store does. */
  ask(place: ConversationKey): Promise<number> {
    let question = this.#waiting.get(place);
    if (question === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      question = { answer: promise, resolve, reject };
      this.#waiting.set(place, question);
      if (!this.#reading) {
        this.#reading = true;
        this.#clock.soon(() => void this.#read());
      }
    }
    return question.answer;
  }

  async #read(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = this.#waiting;
      this.#waiting = new Map();
      try {
        const newest = await this.#store.newest([...batch.keys()]);
        for (const [place, question] of batch) question.resolve(newest.get(place) ?? 0);
      } catch (error) {
        for (const question of batch.values()) question.reject(error);
      }
    }
    this.#reading = false;
  }
}
