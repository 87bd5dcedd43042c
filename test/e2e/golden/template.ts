import { expect } from 'vitest';

const FORMS: Readonly<Record<string, RegExp>> = {
  id: /^[0-9a-f]{24}$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/,
  text: /./,
  link: /^https?:\/\/[^/]+\/chat-server\/files\/[^?]+\?./,
};
const PLACEHOLDER = /^<(id|time|text|link|compact)(?::(\w+))?>$/;

/**
 * Samples with placeholders. `<id:first>` is an id that has the same value wherever it is named
 * `first`. `<time:first>` and `<link:first>` work in the same way. `<compact:first>` is the digits
 * of `<time:first>`. `<text>` is any text.
 */
export class Template {
  readonly #known = new Map<string, string>();

  /** Replaces the placeholders whose values are known. */
  fill(sample: unknown): unknown {
    return walk(sample, (text) => {
      const [, form, name] = PLACEHOLDER.exec(text) ?? [];
      if (form === undefined || name === undefined) return text;
      if (form === 'compact') return this.#known.get(`time:${name}`)?.replaceAll(/\D/g, '') ?? text;
      return this.#known.get(`${form}:${name}`) ?? text;
    });
  }

  /** Fails if `actual` does not match the sample. Keeps the values of new names. */
  match(actual: unknown, sample: unknown): void {
    const learned = new Map<string, string>();
    const expected = walk(this.fill(sample), (text) => {
      const [, form = ''] = PLACEHOLDER.exec(text) ?? [];
      return form in FORMS ? expect.stringMatching(FORMS[form] ?? /./) : text;
    });
    expect(actual).toEqual(expected);
    collect(actual, sample, learned);
    for (const [name, value] of learned) this.#known.set(name, value);
  }
}

function walk(value: unknown, change: (text: string) => unknown): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => walk(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, change)]));
}

function collect(actual: unknown, sample: unknown, learned: Map<string, string>): void {
  if (typeof sample === 'string') {
    const [, form, name] = PLACEHOLDER.exec(sample) ?? [];
    if (name !== undefined && typeof actual === 'string') learned.set(`${form}:${name}`, actual);
  } else if (typeof sample === 'object' && sample !== null && typeof actual === 'object' && actual !== null) {
    const found = new Map(Object.entries(actual));
    for (const [key, each] of Object.entries(sample)) collect(found.get(key), each, learned);
  }
}
