/** A line, ended or not, is longer than it may be. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

const LF = 10;
const CR = 13;
const FIRST = 512;

/**
 * Cuts a byte stream into lines ended by CR LF (or LF). Bytes that are no UTF-8 become replacement characters. Holds no more
 * than the open line, in a buffer that grows by doubling up to the cap.
 */
export class LineReader {
  readonly #most: number;
  #buffer: Buffer | undefined;
  #held = 0;

  /** @param most longest line in bytes, without its end */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws LineTooLong; the reader is then of no more use */
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
      if (tail.length > this.#most + 1) throw new LineTooLong(`a line of more than ${this.#most} bytes`);
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
    if (needed > this.#most + 1) {
      this.#buffer = undefined;
      this.#held = 0;
      throw new LineTooLong(`a line of more than ${this.#most} bytes`);
    }
    if (this.#buffer === undefined || this.#buffer.length < needed) {
      let size = this.#buffer?.length ?? FIRST;
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
