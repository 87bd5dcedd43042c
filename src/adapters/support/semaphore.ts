/** Admits a limited number of callers at a time; the others wait in the order of their calls. */
export class Semaphore {
  readonly #limit: number;
  readonly #queue = new Set<() => void>();
  #active = 0;

  /** @param limit callers admitted at a time, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Callers that wait now. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Resolves when the caller is admitted; they must call `leave` afterwards. Rejects with the
   * signal's reason if the signal is aborted first.
   */
  enter(signal?: AbortSignal): Promise<void> {
    if (this.#active < this.#limit) {
      this.#active += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#queue.delete(admit);
        reject(signal?.reason);
      };
      this.#queue.add(admit);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  leave(): void {
    const [next] = this.#queue;
    if (next === undefined) this.#active -= 1;
    else {
      this.#queue.delete(next);
      next();
    }
  }
}
