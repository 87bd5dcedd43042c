export class TooLong extends Error {
  override readonly name = 'TooLong';
}

const LF = 10;
const SMALL = 1_024;

/** Cuts a stream of bytes into lines of UTF-8 text, ended by CR LF (or LF alone); empty lines are left out. */
export class Lines {
  readonly #most: number;
  #buffer = Buffer.alloc(0);
  #held = 0;

  /** @param most the longest line, in bytes, its CR counted */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * The lines that this chunk completes, each cut off when it is asked for.
   * @throws TooLong once a line, ended or not, is longer than it may be; what was held of it is let go
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
    if (this.#held === 0 && this.#buffer.length > SMALL) this.#buffer = Buffer.alloc(0);
    if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  /** Copies into one buffer that grows by doubling: a line that comes byte by byte costs no more than its own length. */
  #hold(part: Buffer): void {
    const needed = this.#held + part.length;
    if (needed > this.#most) {
      this.#buffer = Buffer.alloc(0);
      this.#held = 0;
      throw new TooLong(`a line is longer than ${this.#most} bytes`);
    }
    if (needed > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(needed, 2 * this.#buffer.length, SMALL));
      this.#buffer.copy(grown, 0, 0, this.#held);
      this.#buffer = grown;
    }
    part.copy(this.#buffer, this.#held);
    this.#held = needed;
  }
}
