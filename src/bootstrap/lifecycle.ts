/** Things that were started, to be stopped in reverse order, once, whatever happens. */
export class Lifecycle {
  readonly #stops: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  readonly #onError: (name: string, error: unknown) => void;
  #stopping: Promise<void> | null = null;

  constructor(onError: (name: string, error: unknown) => void) {
    this.#onError = onError;
  }

  /** Says how what was just started is stopped. */
  onStop(name: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ name, stop });
  }

  /** Stops everything, the last started first; one that fails or takes longer than `eachMs` keeps no other from being stopped. Idempotent. */
  stop(eachMs: number): Promise<void> {
    this.#stopping ??= this.#stopAll(eachMs);
    return this.#stopping;
  }

  async #stopAll(eachMs: number): Promise<void> {
    for (const { name, stop } of this.#stops.reverse()) {
      try {
        await within(eachMs, Promise.resolve(stop()));
      } catch (error) {
        this.#onError(name, error);
      }
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`did not stop within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
