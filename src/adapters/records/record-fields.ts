import { parseId } from '../../domain/ids.ts';
import { parseJsonText } from '../support/json-text.ts';

export type Fields = Readonly<Record<string, unknown>>;

/**
 * The reason why a record cannot be decoded. The reader of the record catches it and skips the
 * record. The message names the field and never holds a value of a user.
 */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

/** Reads the JSON object in a record's value. @throws Undecodable */
export function parseFields(value: string | null): Fields {
  if (value === null) throw new Undecodable('the record has no value');
  let parsed: unknown;
  try {
    parsed = parseJsonText(value);
  } catch {
    throw new Undecodable('the value is not valid JSON');
  }
  if (!isFields(parsed)) throw new Undecodable('the value is not a JSON object');
  return parsed;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an id, which may be a number or decimal text. @throws Undecodable */
export function readId(fields: Fields, name: string): number {
  const id = parseId(fields[name]);
  if (id === null) throw new Undecodable(`${name} must be a positive integer`);
  return id;
}

/** Reads a text; null if the field is missing or holds anything else. */
export function readText(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}

/** Reads a list of ids or names. Numbers become texts. @throws Undecodable */
export function readTexts(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) throw new Undecodable(`${name} must be a list`);
  return value.map((one: unknown) => {
    if (typeof one === 'string') return one;
    if (typeof one === 'number') return String(one);
    throw new Undecodable(`${name} must hold texts or numbers only`);
  });
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z?$/;

/**
 * Reads a time in UTC, as milliseconds since 1970; null if there is none. Two forms are accepted:
 *
 * - an array `[year, month, day, hour, minute, second, nanoseconds]`; the original server leaves
 *   out the last two if they are 0
 * - ISO text with or without `Z`
 *
 * @throws Undecodable if the value has another form
 */
export function readTime(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') {
    const found = ISO.exec(value);
    if (found === null) throw notATime();
    const [, y, mo, d, h, mi, s = '0', fraction = ''] = found;
    return utc([y, mo, d, h, mi, s, fraction.padEnd(9, '0')].map(Number));
  }
  if (!Array.isArray(value) || value.length < 5 || value.length > 7) throw notATime();
  return utc(value.map((part: unknown) => (typeof part === 'number' ? part : Number.NaN)));
}

function utc(parts: readonly number[]): number {
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, nanos = 0] = parts;
  const time = Date.UTC(y, mo - 1, d, h, mi, s, Math.trunc(nanos / 1e6));
  if (!Number.isFinite(time)) throw notATime();
  return time;
}

function notATime(): Undecodable {
  return new Undecodable('the time must be an array of numbers or ISO text');
}
