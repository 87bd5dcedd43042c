import { z } from 'zod';
import { parseId } from '../../domain/ids.ts';
import type { RestAnswer } from './rest-service.ts';

/** An id, as a number or as decimal text. */
export const ID = z.union([z.number(), z.string()]).transform((value, context) => {
  const id = parseId(value);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'not an id' });
  return z.NEVER;
});

/** The code in a service's refusal for a thing that does not exist. */
const NOT_FOUND_CODE = 4004;

const REFUSED = z.object({ code: z.union([z.number(), z.string()]).transform(Number) });

/**
 * The code of a refusal in the wrapped form, `{"isSuccess":false,"code":4004,...}`; null for any
 * other answer.
 */
export function refusalCode(json: unknown): number | null {
  const read = REFUSED.safeParse(json);
  return read.success ? read.data.code : null;
}

/** True if the requested thing does not exist: HTTP status 404, or a refusal with code 4004. */
export function isNotFound({ status, json }: RestAnswer): boolean {
  return status >= 400 && (status === 404 || refusalCode(json) === NOT_FOUND_CODE);
}
