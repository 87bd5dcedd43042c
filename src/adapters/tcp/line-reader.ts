/** A line is longer than the limit. Its end may not have arrived yet. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

const LF = 10;
const CR = 13;
/** Size of the first buffer, in bytes. */
const MIN_BUFFER_BYTES = 512;

/**
 * Splits a byte stream into lines that end with CR LF or LF. Bytes that are not valid UTF-8 become
 * replacement characters. It holds no more than the unfinished line, in a buffer that doubles in
 * size up to the limit.
 */
export class LineReader {
  readonly #maxBytes: number;
  #buffer: Buffer | undefined;
  #held = 0;

  /** @param maxBytes limit for a line, without its end */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Returns the lines that are complete.
   * @throws LineTooLong; the reader must not be used after it
   */
  *push(chunk: Buffer): Generator<string> {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      yield this.#line(chunk.subarray(from, end));
      from = end + 1;
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  #line(tail: Buffer): string {
    if (this.#held === 0) {
      if (tail.length > this.#maxBytes + 1) throw new LineTooLong(`a line has more than ${this.#maxBytes} bytes`);
      return text(tail);
    }
    this.#hold(tail);
    const line = text((this.#buffer ?? tail).subarray(0, this.#held));
    this.#held = 0;
    this.#buffer = undefined;
    return line;
  }

  #hold(part: Buffer): void {
    const needed = this.#held + part.length;
    if (needed > this.#maxBytes + 1) {
      this.#buffer = undefined;
      this.#held = 0;
      throw new LineTooLong(`a line has more than ${this.#maxBytes} bytes`);
    }
    if (this.#buffer === undefined || this.#buffer.length < needed) {
      let size = this.#buffer?.length ?? MIN_BUFFER_BYTES;
      while (size < needed) size *= 2;
      const grown = Buffer.alloc(size);
      this.#buffer?.copy(grown, 0, 0, this.#held);
      this.#buffer = grown;
    }
    part.copy(this.#buffer, this.#held);
    this.#held = needed;
  }
}

function text(line: Buffer): string {
  const end = line.length > 0 && line[line.length - 1] === CR ? line.length - 1 : line.length;
  return line.toString('utf8', 0, end);
}
