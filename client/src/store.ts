/** Calls an application's function. Its errors are reported as uncaught and change nothing here. */
export function call<A extends readonly unknown[]>(listener: (...args: A) => void, ...args: A): void {
  try {
    listener(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Functions of the application that want to hear of something. */
export class Listeners<A extends readonly unknown[]> {
  readonly #all = new Set<(...args: A) => void>();

  get size(): number {
    return this.#all.size;
  }

  /** Returns a function that removes the listener. */
  add(listener: (...args: A) => void): () => void {
    // A wrapper of its own lets the same function be added twice.
    const own = (...args: A) => listener(...args);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  emit(...args: A): void {
    for (const listener of [...this.#all]) call(listener, ...args);
  }
}

/**
 * A value that changes: the shape that React's `useSyncExternalStore` takes. A snapshot is never
 * changed; while nothing changes, it stays the same object. Several changes in one turn of the
 * event loop are reported once.
 */
export interface Readable<T> {
  readonly getSnapshot: () => T;
  /** Returns a function that ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;
}

export class Store<T> implements Readable<T> {
  readonly #make: () => T;
  readonly #watched: (isWatched: boolean) => void;
  readonly #listeners = new Listeners<[]>();
  #value: { readonly of: T } | null = null;
  #isDue = false;

  /**
   * @param make makes the snapshot; called once after each change, when somebody asks
   * @param watched called when the first listener comes and when the last one goes
   */
  constructor(make: () => T, watched: (isWatched: boolean) => void = () => {}) {
    this.#make = make;
    this.#watched = watched;
  }

  readonly getSnapshot = (): T => {
    this.#value ??= { of: this.#make() };
    return this.#value.of;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    const remove = this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#watched(true);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      remove();
      if (this.#listeners.size === 0) this.#watched(false);
    };
  };

  changed(): void {
    this.#value = null;
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#listeners.emit();
    });
  }
}
