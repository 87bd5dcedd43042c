import { MAX_SLOW_MODE_SECONDS } from '../../src/domain/moderation.ts';
import { integer, list, object, optional, ref, type Schema, text } from './schema.ts';

/** The digits of an id. No pattern shows that an id is at most 2^53 - 1. */
export const DIGITS = '[1-9][0-9]{0,15}';

const MAX_ID = Number.MAX_SAFE_INTEGER;
const DECIMAL_ID = text(`A decimal text from 1 to ${MAX_ID}.`, { pattern: `^${DIGITS}$` });
/** The longest text of a nonce. */
const MAX_NONCE_CHARS = 64;

/** The numbers of all refusals, for the field `code`. */
export function codeSchema(numbers: readonly number[]): Schema {
  return { type: 'integer', enum: [...numbers].sort(), description: 'The number of the refusal.' };
}

/** The schemas of ids, times and other values that many messages have. */
export const BASIC_SCHEMAS = {
  Id: integer(1, 'The id of a user, room, channel or community.', { maximum: MAX_ID }),
  IdText: text('An id of a user, room, channel or community as a decimal text.', { pattern: `^${DIGITS}$` }),
  GivenId: {
    description: 'An id of a user, room, channel or community: a number or a decimal text.',
    anyOf: [integer(1, undefined, { maximum: MAX_ID }), DECIMAL_ID],
  },
  ClientId: {
    description: 'An id as clients send it: a number, a decimal text, or a text like `Optional(5)`.',
    anyOf: [
      integer(1, undefined, { maximum: MAX_ID }),
      text(`A decimal text from 1 to ${MAX_ID}, or the same in \`Optional()\`.`, {
        pattern: `^(?:${DIGITS}|Optional\\(${DIGITS}\\))$`,
      }),
    ],
  },
  MessageId: text('The id of a message.', { pattern: '^[0-9a-f]{24}$' }),
  GivenMessageId: text('The id of a message: 24 hexadecimal digits.', { pattern: '^[0-9A-Fa-f]{24}$' }),
  ConversationKey: text('A room (`r-5`) or a channel (`c-11`).', { pattern: `^[rc]-${DIGITS}$` }),
  PlaceKey: text('A room (`r-5`), a channel (`c-11`) or a community (`com-1`).', {
    pattern: `^(?:r|c|com)-${DIGITS}$`,
  }),
  Time: text('A time in UTC with three fraction digits and without a zone.', {
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}$',
    examples: ['2026-11-22T19:13:19.330'],
  }),
  GivenTime: text('A time in UTC. The fraction and a `Z` at the end may be missing.', {
    pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,3})?Z?$',
    examples: ['2026-11-27T12:00:00.000'],
  }),
  Seq: integer(1, 'The number of an event in its room or channel: 1, 2, 3, ... without a gap.'),
  NewestSeq: integer(0, 'The newest number of the place; 0 if there is none.'),
  Nonce: text("The sender's key for storing the event once within 24 hours. It is well-formed and has no U+FFFD.", {
    minLength: 1,
    maxLength: MAX_NONCE_CHARS,
    pattern: '^[^\\uFFFD]*$',
  }),
  FileType: { type: 'string', enum: ['image', 'video', 'file'], description: 'The kind of a shared file.' },
  Pixels: integer(1, 'Width or height of an image or video in pixels, according to its sender.', {
    maximum: 1_000_000,
  }),
  SlowModeSeconds: integer(0, 'One message of a user in so many seconds; 0 ends the slow mode.', {
    maximum: MAX_SLOW_MODE_SECONDS,
  }),
} as const satisfies Record<string, Schema>;

/** A list of places in a query. @param kinds of the places, e.g. `[rc]` */
export function placesSchema(kinds: string, example: string): Schema {
  const place = `${kinds}-${DIGITS}`;
  return text('Places, split by commas; at most 200. It may be empty.', {
    pattern: `^(?:${place}(?:,${place}){0,199})?$`,
    examples: [example],
  });
}

/** The fields that describe a shared file. Each is missing where it is not known. */
export const FILE_FACTS = {
  fileName: optional(text('The name of the file at its sender; empty where the message was deleted.')),
  fileSize: optional(integer(0, 'Size of the file in bytes.')),
  width: optional(ref('Pixels')),
  height: optional(ref('Pixels')),
};

/** The answer of health checks. */
export const HEALTH = object({
  ready: { type: 'boolean', description: 'False: the server should get no clients now.' },
  reasons: list(text(), { description: 'Why the server should get no clients.' }),
  degraded: list(text(), { description: 'Shared parts that do not work, such as `kafka: ...`.' }),
});
