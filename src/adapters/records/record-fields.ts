import { parseId } from '../../domain/ids.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Thrown while a record's value is read, and caught where the record is skipped. The message holds no content. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

/** The value's JSON object. @throws Undecodable */
export function parseFields(value: Buffer | null): Fields {
  if (value === null) throw new Undecodable('no value');
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString('utf8'));
  } catch {
    throw new Undecodable('no JSON');
  }
  if (!isFields(parsed)) throw new Undecodable('no JSON object');
  return parsed;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An id as number or decimal text. @throws Undecodable */
export function readId(fields: Fields, name: string): number {
  const id = parseId(fields[name]);
  if (id === null) throw new Undecodable(`${name} is no id`);
  return id;
}

export function readText(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}

/** A list of ids or names, numbers as texts. @throws Undecodable */
export function readTexts(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) throw new Undecodable(`${name} is no list`);
  return value.map((one: unknown) => {
    if (typeof one === 'string') return one;
    if (typeof one === 'number') return String(one);
    throw new Undecodable(`${name} holds neither text nor number`);
  });
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z?$/;

/**
 * A time in UTC as milliseconds since 1970: an array `[y, mo, d, h, mi, s, nanos]`, whose last two are left out when zero, or ISO text
 * with or without `Z`. Null where there is none.
 * @throws Undecodable where there is something else
 */
export function readTime(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') {
    const found = ISO.exec(value);
    if (found === null) throw new Undecodable('no time');
    const [, y, mo, d, h, mi, s = '0', fraction = ''] = found;
    return utc([y, mo, d, h, mi, s, fraction.padEnd(9, '0')].map(Number));
  }
  if (!Array.isArray(value) || value.length < 5 || value.length > 7) throw new Undecodable('no time');
  return utc(value.map((part: unknown) => (typeof part === 'number' ? part : Number.NaN)));
}

function utc(parts: readonly number[]): number {
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, nanos = 0] = parts;
  const time = Date.UTC(y, mo - 1, d, h, mi, s, Math.trunc(nanos / 1e6));
  if (!Number.isFinite(time)) throw new Undecodable('no time');
  return time;
}
