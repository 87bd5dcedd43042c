/** A value of the lenient notation: a quoted or bare text, `null`, or a list of values. */
export type LenientValue = string | null | LenientValue[];

/**
 * Reads the notation that the original chat servers send instead of JSON:
 * `{type='login', session_id='s', user_id='1', channel_id='null', ids=[1, 2]}`.
 * The separators `=`, `:`, `,` and `;` are accepted, and single, double or no quotes.
 * @throws SyntaxError if the text is not such an object
 */
export function parseLenient(text: string): Map<string, LenientValue> {
  const reader = new Reader(text);
  const fields = new Map<string, LenientValue>();
  reader.expect('{');
  while (!reader.accept('}')) {
    const key = reader.word();
    if (!reader.accept('=') && !reader.accept(':')) throw new SyntaxError(`a key has no value at ${reader.at}`);
    fields.set(key, reader.value(0));
    if (!reader.accept(',') && !reader.accept(';') && !reader.sees('}')) {
      throw new SyntaxError(`expected a separator or the end at ${reader.at}`);
    }
  }
  reader.end();
  return fields;
}

const MAX_DEPTH = 4;
const BARE = /[^\s,;=:{}[\]'"]+/y;
const BLANK = /\s*/y;

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  sees(mark: string): boolean {
    BLANK.lastIndex = this.at;
    BLANK.exec(this.#text);
    this.at = BLANK.lastIndex;
    return this.#text.startsWith(mark, this.at);
  }

  accept(mark: string): boolean {
    if (!this.sees(mark)) return false;
    this.at += mark.length;
    return true;
  }

  expect(mark: string): void {
    if (!this.accept(mark)) throw new SyntaxError(`expected ${mark} at ${this.at}`);
  }

  end(): void {
    this.sees('');
    if (this.at !== this.#text.length) throw new SyntaxError(`text after the end at ${this.at}`);
  }

  word(): string {
    for (const quote of ["'", '"']) if (this.accept(quote)) return this.#quoted(quote);
    this.sees('');
    BARE.lastIndex = this.at;
    const found = BARE.exec(this.#text)?.[0];
    if (found === undefined) throw new SyntaxError(`expected a word at ${this.at}`);
    this.at = BARE.lastIndex;
    return found;
  }

  value(depth: number): LenientValue {
    if (this.accept('[')) return this.#list(depth + 1);
    const quoted = this.sees("'") || this.sees('"');
    const word = this.word();
    return word === 'null' && !quoted ? null : word;
  }

  #list(depth: number): LenientValue[] {
    if (depth > MAX_DEPTH) throw new SyntaxError('the lists are nested too deeply');
    const list: LenientValue[] = [];
    while (!this.accept(']')) {
      list.push(this.value(depth));
      if (!this.accept(',') && !this.accept(';') && !this.sees(']'))
        throw new SyntaxError(`expected a separator or the end of a list at ${this.at}`);
    }
    return list;
  }

  #quoted(quote: string): string {
    let out = '';
    for (;;) {
      const mark = this.#text[this.at];
      if (mark === undefined) throw new SyntaxError('a quoted text has no end');
      this.at += 1;
      if (mark === quote) return out;
      if (mark === '\\') {
        out += this.#text[this.at] ?? '';
        this.at += 1;
      } else out += mark;
    }
  }
}
