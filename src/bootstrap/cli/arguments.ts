import { parseArgs } from 'node:util';

/** One option of a command. Without `value` it is a switch. */
export interface Option {
  /** Name of the value in the help, such as `FILE`. */
  readonly value?: string;
  readonly meaning: string;
  /** The text that is used if the option is missing. */
  readonly fallback?: string;
  /** True if the option may be given several times. */
  readonly multiple?: boolean;
}

export type Options = Readonly<Record<string, Option>>;

/** The arguments are not valid. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Value = string | boolean | readonly (string | boolean)[] | undefined;

const PARSE_ERROR = /^ERR_PARSE_ARGS_/;

/** The options that were given to a command. */
export class Arguments {
  readonly #values: Readonly<Record<string, Value>>;
  readonly #options: Options;

  /** @throws UsageError for an unknown option, a missing value or a stray word */
  constructor(options: Options, words: readonly string[]) {
    this.#options = options;
    try {
      const { values } = parseArgs({
        args: [...words],
        allowPositionals: false,
        options: Object.fromEntries(
          Object.entries(options).map(([name, { value, multiple = false }]) => [
            name,
            { type: value === undefined ? 'boolean' : 'string', multiple },
          ]),
        ),
      });
      this.#values = values;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || !PARSE_ERROR.test(String(error.code))) throw error;
      throw new UsageError(firstSentence(error.message));
    }
  }

  /** The text of an option, or its fallback; null if it has neither. */
  text(name: string): string | null {
    const value = this.#values[name];
    return typeof value === 'string' ? value : (this.#options[name]?.fallback ?? null);
  }

  /** @throws UsageError if the option is missing */
  needed(name: string): string {
    const text = this.text(name);
    if (text === null || text === '') throw new UsageError(`--${name} is missing`);
    return text;
  }

  /** All texts of an option that may be given several times; its fallback if there is none. */
  texts(name: string): readonly string[] {
    const given = this.#values[name];
    if (Array.isArray(given)) return given.map(String);
    const fallback = this.#options[name]?.fallback;
    return fallback === undefined ? [] : [fallback];
  }

  has(name: string): boolean {
    return this.#values[name] === true;
  }

  /** A whole number, or null. @throws UsageError for any other text */
  number(name: string, min: number, max: number): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  }

  /** @throws UsageError if the option is missing or is not such a number */
  neededNumber(name: string, min: number, max: number): number {
    const number = this.number(name, min, max);
    if (number === null) throw new UsageError(`--${name} is missing`);
    return number;
  }
}

/** Node.js adds hints about positional arguments, which no command has. */
function firstSentence(message: string): string {
  const first = message.split('. ')[0] ?? message;
  return first.replace(/\.$/, '').replaceAll('\n', ' ');
}
