/** A line is longer than the limit. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

const LF = 10;
/** Buffers up to this size are kept when they are empty, in bytes. */
const MIN_BUFFER_BYTES = 1_024;

/**
 * Splits a byte stream into lines of UTF-8 text that end with CR LF or LF. Empty lines are left
 * out.
 */
export class Lines {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  #held = 0;

  /** @param maxBytes limit for a line with its CR */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that this chunk completes. Each is read when the caller asks for it.
   * @throws TooLong if a line is longer than the limit, even before its end has arrived
   */
  *push(chunk: Buffer): Generator<string> {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      this.#hold(chunk.subarray(from, end));
      const line = this.#buffer.toString('utf8', 0, this.#held).replace(/\r$/, '');
      this.#held = 0;
      from = end + 1;
      if (line.trim() !== '') yield line;
    }
    if (this.#held === 0 && this.#buffer.length > MIN_BUFFER_BYTES) this.#buffer = Buffer.alloc(0);
    if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  /**
   * Copies into one buffer that doubles in size. A line that arrives byte by byte needs no more
   * than twice its length.
   */
  #hold(part: Buffer): void {
    const needed = this.#held + part.length;
    if (needed > this.#maxBytes) {
      this.#buffer = Buffer.alloc(0);
      this.#held = 0;
      throw new TooLong(`a line is longer than ${this.#maxBytes} bytes`);
    }
    if (needed > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(needed, 2 * this.#buffer.length, MIN_BUFFER_BYTES));
      this.#buffer.copy(grown, 0, 0, this.#held);
      this.#buffer = grown;
    }
    part.copy(this.#buffer, this.#held);
    this.#held = needed;
  }
}
