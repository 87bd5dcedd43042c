import { withTimeout } from '../adapters/support/with-timeout.ts';

interface StartedPart {
  readonly name: string;
  readonly stop: () => Promise<void> | void;
  readonly extraMs: number;
}

/** The parts that have been started. Stops them once, in reverse order. */
export class Lifecycle {
  readonly #stops: StartedPart[] = [];
  readonly #onError: (name: string, error: unknown) => void;
  readonly #failed = Promise.withResolvers<Error>();
  #isStopping = false;
  #stopping: Promise<void> | null = null;

  constructor(onError: (name: string, error: unknown) => void) {
    this.#onError = onError;
  }

  /** True from the call of {@link stop} on. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Resolves with the first error after which the server must stop. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** A part failed for good. */
  fail(error: Error): void {
    this.#failed.resolve(error);
  }

  /**
   * Registers how to stop a part that has just been started.
   * @param extraMs time that the part may take beyond that of every part
   */
  onStop(name: string, stop: () => Promise<void> | void, extraMs = 0): void {
    this.#stops.push({ name, stop, extraMs });
  }

  /**
   * Stops all parts, the last started first. A part that fails or takes longer than `eachMs`
   * milliseconds does not keep the others running. Idempotent.
   */
  stop(eachMs: number): Promise<void> {
    this.#isStopping = true;
    this.#stopping ??= this.#stopAll(eachMs);
    return this.#stopping;
  }

  async #stopAll(eachMs: number): Promise<void> {
    for (const { name, stop, extraMs } of this.#stops.reverse()) {
      const ms = eachMs + extraMs;
      try {
        await withTimeout(ms, Promise.resolve(stop()), () => new Error(`did not stop within ${ms} ms`));
      } catch (error) {
        this.#onError(name, error);
      }
    }
  }
}
