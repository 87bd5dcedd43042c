import { z } from 'zod';
import { Refusal } from '../../domain/errors.ts';
import { parseId } from '../../domain/ids.ts';
import { idOf, isChannel, parseConversationKey } from '../../domain/place.ts';

const MOST_IDS = 500_000;

/** An id as every client writes it: a number or a decimal text. */
const id = z.unknown().transform((value, context) => {
  const parsed = parseId(value);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'no id' });
  return z.NEVER;
});

/** An id that may carry its kind in front: `c-11`, `com-1`, `com1`. */
function idAfter(prefix: RegExp) {
  return z.preprocess((value) => (typeof value === 'string' ? value.replace(prefix, '') : value), id);
}

const ids = z.array(id).max(MOST_IDS);
const leaving = z.enum(['out', 'in']);
const stillIn = ids.nullish().transform((list) => (list ?? []).map(String));

export const membersBody = ids;
export const messageCountBody = z.object({ userId: id, roomIds: z.array(id).max(10_000) });
export const demoTokenBody = z.object({ userId: id });
export const callLeftBody = z.object({ type: leaving, channelId: idAfter(/^r-/), ids: stillIn });
export const voiceLeftBody = z.object({
  type: leaving,
  communityId: idAfter(/^com-?/),
  channelId: z.preprocess((value) => (typeof value === 'string' ? (parseChannel(value) ?? value) : value), id),
  ids: stillIn,
});

function parseChannel(text: string): number | null {
  const key = parseConversationKey(text);
  return key !== null && isChannel(key) ? idOf(key) : null;
}

/** @throws Refusal `bad-input` that names the field, never its value */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  throw new Refusal('bad-input', `${where} is not as it must be`);
}
