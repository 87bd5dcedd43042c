import { withTimeout } from '../adapters/support/with-timeout.ts';

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
        await withTimeout(eachMs, Promise.resolve(stop()), () => new Error(`did not stop within ${eachMs} ms`));
      } catch (error) {
        this.#onError(name, error);
      }
    }
  }
}
