import { z } from 'zod';
import { parseMessageId } from '../../../domain/ids.ts';
import { parseConversationKey, parsePlaceKey } from '../../../domain/place.ts';
import { id, object } from '../bodies.ts';

const text = z.string({ error: 'must be a text' });

export const conversation = z.unknown().transform((value, context) => {
  const place = typeof value === 'string' ? parseConversationKey(value) : null;
  if (place !== null) return place;
  context.addIssue({ code: 'custom', message: 'must be like r-5 or c-11' });
  return z.NEVER;
});

export const anyPlace = z.unknown().transform((value, context) => {
  const place = typeof value === 'string' ? parsePlaceKey(value) : null;
  if (place !== null) return place;
  context.addIssue({ code: 'custom', message: 'must be like r-5, c-11 or com-1' });
  return z.NEVER;
});

export const messageId = z.unknown().transform((value, context) => {
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

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z?$/;

/** A time in UTC, with or without `Z`. */
export const time = z.unknown().transform((value, context) => {
  const ms = typeof value === 'string' && TIME.test(value) ? Date.parse(`${value.replace(/Z$/, '')}Z`) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  context.addIssue({ code: 'custom', message: 'must be a time in UTC like 2026-11-27T12:00:00.000, or null' });
  return z.NEVER;
});

export const disconnectBody = object({ userId: id });
export const banBody = object({ until: nullable(time), reason: nullable(text) });
export const muteBody = object({ place: nullable(conversation), until: nullable(time) });
const MINUTES = 'must be a whole number from 1 to 10';
export const minutes = z.int({ error: MINUTES }).min(1, { error: MINUTES }).max(10, { error: MINUTES });
export const traceBody = object({
  userId: nullable(id),
  place: nullable(anyPlace),
  minutes: nullable(minutes),
  nonce: nullable(text),
});
export const slowModeBody = object({ seconds: z.number({ error: 'must be a number' }) });
