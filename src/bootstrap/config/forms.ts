/** The form of a variable's text, and how it is read. */
export interface Form<T> {
  /** Completes "must be ...". */
  readonly description: string;
  /** True for texts that may hold a password. Such a variable can be given as a file. */
  readonly isSecret: boolean;
  /** The form as a JSON schema, for values in files. Not given: any text or number. */
  readonly schema?: FormSchema;
  /**
   * @throws Error with a message that begins with `must be`. It never holds a text that may be
   * secret.
   */
  read(text: string): T;
}

export type FormSchema =
  | { readonly type: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly enum: readonly string[] };

const MAX_QUOTE_CHARS = 80;

/** @param read returns null for a text that does not have the form */
export function form<T>(description: string, read: (text: string) => T | null): Form<T> {
  const quote = (text: string) => `, not ${JSON.stringify(shortened(text))}`;
  return { description, isSecret: false, read: reader(description, read, quote) };
}

/** A form of texts that may hold a password. Messages never repeat such a text. */
export function secretForm<T>(description: string, read: (text: string) => T | null): Form<T> {
  return { description, isSecret: true, read: reader(description, read, () => '') };
}

function reader<T>(description: string, read: (text: string) => T | null, quote: (text: string) => string) {
  return (text: string): T => {
    const value = read(text);
    if (value === null) throw new Error(`must be ${description}${quote(text)}`);
    return value;
  };
}

function shortened(text: string): string {
  return text.length <= MAX_QUOTE_CHARS ? text : `${text.slice(0, MAX_QUOTE_CHARS)}...`;
}

export function wholeNumber(min: number, max: number): Form<number> {
  const number = form(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : null;
  });
  return { ...number, schema: { type: 'integer', minimum: min, maximum: max } };
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Form<Choice> {
  const quoted = choices.map((choice) => `\`${choice}\``);
  const description = [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter((part) => part !== '').join(' or ');
  const choice = form(description, (text) => choices.find((choice) => choice === text.toLowerCase()) ?? null);
  return { ...choice, schema: { enum: choices } };
}

/** A list of at least one entry. Each entry has the form `item`. */
export function listOf<T>(item: Form<T>, description: string, separator = /[\s,]+/): Form<readonly T[]> {
  return {
    description,
    isSecret: item.isSecret,
    read(text) {
      const entries = text.split(separator).filter((entry) => entry !== '');
      if (entries.length === 0) throw new Error(`must be ${description}`);
      return entries.map((entry) => item.read(entry));
    },
  };
}

/** Any text without control characters. */
export const plainText: Form<string> = form('text without control characters', (text) =>
  /\p{Cc}/u.test(text) ? null : text,
);
