/**
 * The URL of a service, which may hold a password. Printing or logging it shows the URL without
 * user and password.
 */
export class ConnectionUrl {
  readonly #whole: string;
  /** Scheme, host and path. */
  readonly shown: string;

  constructor(whole: string, shown: string) {
    this.#whole = whole;
    this.shown = shown;
  }

  /** With user, password and options, for the client that connects. */
  reveal(): string {
    return this.#whole;
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }
}
