import type { Readable } from 'chat-server-client';

/** A value that the page itself keeps, in the shape of the client's stores. */
export class Signal<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (value === this.#value) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  readonly getSnapshot = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };
}

/** Calls `show` now and after each change of a store. Returns a function that ends it. */
export function follow(show: () => void, ...stores: readonly Readable<unknown>[]): () => void {
  const stops = stores.map((store) => store.subscribe(show));
  show();
  return () => {
    for (const stop of stops) stop();
  };
}

/** Functions to call when a view ends. */
export class Ends {
  readonly #all: (() => void)[] = [];

  add(...ends: readonly (() => void)[]): void {
    this.#all.push(...ends);
  }

  /** Adds a listener to an event target that outlives the view. */
  on<K extends keyof WindowEventMap>(target: Window, name: K, listener: (event: WindowEventMap[K]) => void): void;
  on<K extends keyof DocumentEventMap>(target: Document, name: K, listener: (event: DocumentEventMap[K]) => void): void;
  on(target: EventTarget, name: string, listener: (event: never) => void): void {
    target.addEventListener(name, listener as EventListener);
    this.#all.push(() => target.removeEventListener(name, listener as EventListener));
  }

  end(): void {
    for (const end of this.#all.splice(0)) end();
  }
}
