import type { ConversationKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageStore } from '../ports/message-store.ts';

interface Asked {
  readonly answer: Promise<number>;
  resolve(seq: number): void;
  reject(error: unknown): void;
}

/**
 * Reads the newest numbers of places for many askers in few queries. Whoever asks while a query is under way shares the next one: each answer
 * was read after it was asked for.
 */
export class NewestReader {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  #waiting = new Map<ConversationKey, Asked>();
  #reading = false;

  constructor(store: MessageStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Rejects as the store does. */
  ask(place: ConversationKey): Promise<number> {
    let asked = this.#waiting.get(place);
    if (asked === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      asked = { answer: promise, resolve, reject };
      this.#waiting.set(place, asked);
      if (!this.#reading) {
        this.#reading = true;
        this.#clock.soon(() => void this.#read());
      }
    }
    return asked.answer;
  }

  async #read(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = this.#waiting;
      this.#waiting = new Map();
      try {
        const newest = await this.#store.newest([...batch.keys()]);
        for (const [place, asked] of batch) asked.resolve(newest.get(place) ?? 0);
      } catch (error) {
        for (const asked of batch.values()) asked.reject(error);
      }
    }
    this.#reading = false;
  }
}
