import type { Request } from 'express';
import { Refusal } from '../../domain/errors.ts';
import { parseClientId } from '../../domain/ids.ts';

/**
 * A parameter of the query; null when it is missing.
 * @throws Refusal `bad-input` when it is given twice
 */
export function queryText(request: Request, name: string): string | null {
  const value: unknown = request.query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new Refusal('bad-input', `${name} is given more than once`);
  return value;
}

/**
 * An id that the query must hold.
 * @throws Refusal `bad-input` when it is missing or is not a positive integer
 */
export function queryId(request: Request, name: string): number {
  const value = queryText(request, name);
  if (value === null) throw new Refusal('bad-input', `${name} is missing`);
  const id = parseClientId(value);
  if (id === null) throw new Refusal('bad-input', `${name} must be a positive integer`);
  return id;
}

const COUNT = /^(0|[1-9]\d{0,15})$/;

/**
 * An integer of 0 or more; null when it is missing.
 * @throws Refusal `bad-input` for anything else
 */
export function queryCount(request: Request, name: string): number | null {
  const value = queryText(request, name);
  if (value === null) return null;
  const count = COUNT.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new Refusal('bad-input', `${name} must be an integer of 0 or more`);
  return count;
}

/**
 * The list of places in the parameter `places`, split by commas; it may be empty.
 * @param example shown in the refusal, e.g. `r-5,c-11`
 * @throws Refusal `bad-input` when it is missing or names something else
 */
export function queryPlaces<Place>(request: Request, example: string, parse: (text: string) => Place | null): Place[] {
  const list = queryText(request, 'places');
  if (list === null) throw new Refusal('bad-input', 'places is missing');
  if (list === '') return [];
  return list.split(',').map((text) => {
    const place = parse(text);
    if (place === null) throw new Refusal('bad-input', `places must be a list like ${example}`);
    return place;
  });
}
