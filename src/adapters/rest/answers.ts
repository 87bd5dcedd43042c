import { z } from 'zod';
import { parseId } from '../../domain/ids.ts';

/** An id as a number or decimal text. */
export const ID = z.union([z.number(), z.string()]).transform((value, context) => {
  const id = parseId(value);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'no id' });
  return z.NEVER;
});

const REFUSED = z.object({ code: z.union([z.number(), z.string()]).transform(Number) });

/** The code with which a service refuses in the wrapped form (`{"isSuccess":false,"code":4004,...}`); null where there is none. */
export function refusalCode(json: unknown): number | null {
  const read = REFUSED.safeParse(json);
  return read.success ? read.data.code : null;
}

/** Whether an answer says that what was asked for does not exist: HTTP 404, or a refusal with 4004. */
export function isUnknown(answer: { readonly status: number; readonly json: unknown }): boolean {
  return answer.status >= 400 && (answer.status === 404 || refusalCode(answer.json) === 4004);
}
