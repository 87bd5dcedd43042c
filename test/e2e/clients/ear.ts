export type Headers = Readonly<Record<string, string>>;

export interface Heard {
  readonly destination: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

const PATIENCE_MS = 20_000;

/**
 * Records everything that one client receives. Every wait rejects after 20 s, or when the client
 * fails.
 */
export class Ear {
  readonly heard: Heard[] = [];
  readonly #receipts = new Map<string, Headers>();
  #news = Promise.withResolvers<void>();
  #failure: Error | null = null;

  message(headers: Headers, text: string): void {
    this.heard.push({ destination: headers.destination ?? '', headers, body: JSON.parse(text) });
    this.#wake();
  }

  receipt(headers: Headers): void {
    this.#receipts.set(headers['receipt-id'] ?? '', headers);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** Waits for a RECEIPT. Resolves to its headers. */
  receiptOf(id: string): Promise<Headers> {
    return this.#until(`RECEIPT ${id}`, () => this.#receipts.get(id));
  }

  /** Waits for a message to `destination` with these fields. Resolves to the first one. */
  next(destination: string, fields: Readonly<Record<string, unknown>>): Promise<Heard> {
    const wanted = Object.entries(fields);
    return this.#until(`${JSON.stringify(fields)} at ${destination}`, () =>
      this.heard.find(
        (each) =>
          each.destination === destination &&
          wanted.every(([name, value]) => JSON.stringify(each.body[name]) === JSON.stringify(value)),
      ),
    );
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  async #until<T>(what: string, find: () => T | undefined): Promise<T> {
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => {});
    const timer = setTimeout(() => {
      const heard = this.heard.map(({ destination, body }) => `${destination} ${JSON.stringify(body).slice(0, 200)}`);
      late.reject(new Error(`${what} was not received; received:\n${heard.join('\n')}`));
    }, PATIENCE_MS);
    try {
      for (;;) {
        const found = find();
        if (found !== undefined) return found;
        if (this.#failure !== null) throw this.#failure;
        await Promise.race([this.#news.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
