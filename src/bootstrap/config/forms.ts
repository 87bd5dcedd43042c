/** What a variable's text has to look like, and what it means. */
export interface Form<T> {
  /** Completes "must be ...". */
  readonly description: string;
  /** @throws Error whose message begins with `must be`; it never holds a text that may be secret */
  read(text: string): T;
}

const LONGEST_QUOTE = 80;

/** @param read null for what does not fit */
export function form<T>(description: string, read: (text: string) => T | null): Form<T> {
  return made(description, read, (text) => `, not ${JSON.stringify(shortened(text))}`);
}

/** A form whose texts may hold a password, so that they are not repeated in messages. */
export function secretForm<T>(description: string, read: (text: string) => T | null): Form<T> {
  return made(description, read, () => '');
}

function made<T>(description: string, read: (text: string) => T | null, quote: (text: string) => string): Form<T> {
  return {
    description,
    read(text) {
      const value = read(text);
      if (value === null) throw new Error(`must be ${description}${quote(text)}`);
      return value;
    },
  };
}

function shortened(text: string): string {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)}...`;
}

export function wholeNumber(least: number, most: number): Form<number> {
  return form(`a whole number from ${least} to ${most}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : null;
  });
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Form<Choice> {
  const quoted = choices.map((choice) => `\`${choice}\``);
  const description = [quoted.slice(0, -1).join(', '), quoted.at(-1)].filter((part) => part !== '').join(' or ');
  return form(description, (text) => choices.find((choice) => choice === text.toLowerCase()) ?? null);
}

/** Entries of one form, at least one. */
export function listOf<T>(item: Form<T>, description: string, separator = /[\s,]+/): Form<readonly T[]> {
  return {
    description,
    read(text) {
      const entries = text.split(separator).filter((entry) => entry !== '');
      if (entries.length === 0) throw new Error(`must be ${description}`);
      return entries.map((entry) => item.read(entry));
    },
  };
}

/** Any text but control characters. */
export const plainText: Form<string> = form('a text without control characters', (text) =>
  /\p{Cc}/u.test(text) ? null : text,
);
