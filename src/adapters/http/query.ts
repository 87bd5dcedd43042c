import type { Request } from 'express';
import { Refusal } from '../../domain/errors.ts';

/** A parameter of the query, null where it is missing. @throws Refusal `bad-input` where it is there twice */
export function queryText(request: Request, name: string): string | null {
  const value: unknown = request.query[name];
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new Refusal('bad-input', `${name} is given more than once`);
  return value;
}

const COUNT = /^(0|[1-9]\d{0,15})$/;

/** A whole number from 0 on, null where it is missing. @throws Refusal `bad-input` for anything else */
export function queryCount(request: Request, name: string): number | null {
  const value = queryText(request, name);
  if (value === null) return null;
  const count = COUNT.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new Refusal('bad-input', `${name} is no whole number from 0 on`);
  return count;
}
