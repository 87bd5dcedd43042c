import type { z as Zod } from 'zod';
import { parseMessageId } from '../../../domain/ids.ts';
import { parseConversationKey, parsePlaceKey } from '../../../domain/place.ts';
import { schemas } from '../../support/schemas.ts';
import { httpSchemas, objectSchema } from '../bodies.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z?$/;
const MINUTES = 'must be a whole number from 1 to 10';

/** The schemas of this file. */
export const serviceSchemas = schemas((z) => {
  /** A value that `parse` reads; null: it is refused with the message. */
  const parsed = <T>(parse: (value: unknown) => T | null, message: string) =>
    z.unknown().transform((value, context): T => {
      const result = parse(value);
      if (result !== null) return result;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
  /** A field that may be null or missing. */
  const nullable = <T>(schema: Zod.ZodType<T>) => schema.nullish().transform((value) => value ?? null);
  const { id } = httpSchemas();
  const text = z.string({ error: 'must be a text' });
  const conversation = parsed(
    (value) => (typeof value === 'string' ? parseConversationKey(value) : null),
    'must be like r-5 or c-11',
  );
  const anyPlace = parsed(
    (value) => (typeof value === 'string' ? parsePlaceKey(value) : null),
    'must be like r-5, c-11 or com-1',
  );
  const messageId = parsed(parseMessageId, 'must be 24 hexadecimal digits');
  const time = parsed(readTime, 'must be a time in UTC like 2026-11-27T12:00:00.000, or null');
  const minutes = z.int({ error: MINUTES }).min(1, { error: MINUTES }).max(10, { error: MINUTES });
  return {
    conversation,
    messageId,
    minutes,
    time,
    message: objectSchema(z, {
      place: conversation,
      userId: id,
      content: text,
      communityId: nullable(id),
      parentId: nullable(messageId),
      nonce: nullable(text),
    }),
    disconnect: objectSchema(z, { userId: id }),
    ban: objectSchema(z, { until: nullable(time), reason: nullable(text) }),
    mute: objectSchema(z, { place: nullable(conversation), until: nullable(time) }),
    trace: objectSchema(z, {
      userId: nullable(id),
      place: nullable(anyPlace),
      minutes: nullable(minutes),
      nonce: nullable(text),
    }),
    slowMode: objectSchema(z, { seconds: z.number({ error: 'must be a number' }) }),
  };
});

export const messageBody = () => serviceSchemas().message;
export const disconnectBody = () => serviceSchemas().disconnect;
export const banBody = () => serviceSchemas().ban;
export const muteBody = () => serviceSchemas().mute;
export const traceBody = () => serviceSchemas().trace;
export const slowModeBody = () => serviceSchemas().slowMode;

/** A time in UTC, with or without `Z`, in milliseconds since 1970. */
function readTime(value: unknown): number | null {
  const ms = typeof value === 'string' && TIME.test(value) ? Date.parse(`${value.replace(/Z$/, '')}Z`) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
