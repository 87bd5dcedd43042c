/** Repeatable noise: a seed gives the same run again. */
export class Noise {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to `below`, which is excluded. */
  number(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  one<T>(of: readonly T[]): T {
    const chosen = of[this.number(of.length)];
    if (chosen === undefined) throw new Error('there is nothing to choose from');
    return chosen;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.number(256)));
  }

  /**
   * The text with some bytes changed, inserted, removed, repeated, or replaced by bytes that are
   * hard to read.
   */
  mutated(text: string | Buffer): Buffer {
    let bytes = Buffer.from(text);
    for (let changes = this.number(4); changes >= 0; changes--) {
      const at = this.number(bytes.length + 1);
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
      const cut = after.subarray(this.number(Math.min(after.length, 64) + 1));
      bytes = Buffer.concat(
        this.one([
          () => [before, this.bytes(1), after.subarray(1)],
          () => [before, this.bytes(1 + this.number(8)), after],
          () => [before, cut],
          () => [before, after.subarray(0, 32), after],
          () => [before, Buffer.from(this.one(EVIL)), cut],
          () => [before],
        ])(),
      );
    }
    return bytes;
  }
}

const EVIL = [
  '\0',
  '\n\n',
  '\r\n',
  ':',
  '\\n',
  '"',
  '{"__proto__":{}}',
  '{"$gt":""}',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '-1',
  '1e999',
  '99999999999999999999',
  'null',
  '\ud800',
  '\u0000',
  '\xff\xfe',
  'content-length:99999999\n',
  'content-length:-1\n',
];
