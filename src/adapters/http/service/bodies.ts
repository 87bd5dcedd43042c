import { z } from 'zod';
import { parseMessageId } from '../../../domain/ids.ts';
import { parseConversationKey } from '../../../domain/place.ts';
import { id, object } from '../bodies.ts';

const text = z.string({ error: 'must be a text' });

const conversation = z.unknown().transform((value, context) => {
  const place = typeof value === 'string' ? parseConversationKey(value) : null;
  if (place !== null) return place;
  context.addIssue({ code: 'custom', message: 'must be like r-5 or c-11' });
  return z.NEVER;
});

const messageId = z.unknown().transform((value, context) => {
  const parsed = parseMessageId(value);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'must be 24 hexadecimal digits' });
  return z.NEVER;
});

/** A field that may be null or missing. */
function nullable<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? null);
}

export const messageBody = object({
  place: conversation,
  userId: id,
  content: text,
  communityId: nullable(id),
  parentId: nullable(messageId),
  nonce: nullable(text),
});
