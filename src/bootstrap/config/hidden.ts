/** A value that may hold secrets. Printing or logging it shows its description only. */
export class Hidden<T> {
  readonly #value: T;
  readonly shown: string;

  constructor(value: T, shown: string) {
    this.#value = value;
    this.shown = shown;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }
}
