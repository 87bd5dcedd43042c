import { z } from 'zod';
import { httpSchemas } from '../../src/adapters/http/bodies.ts';
import { serviceSchemas } from '../../src/adapters/http/service/bodies.ts';
import { VERDICT } from '../../src/adapters/rest/moderator.ts';
import { MAX_REASON_CHARS } from '../../src/domain/moderation.ts';
import { DIGITS } from './basic-schemas.ts';
import { integer, nullable, type Optional, object, optional, ref, type Schema, text } from './schema.ts';

const http = httpSchemas();
const service = serviceSchemas();

/** An id with or without a prefix that names its kind. */
function prefixedId(prefix: string, example: string): Schema {
  return {
    description: `An id, also with a prefix as in \`${example}\`.`,
    anyOf: [ref('Id'), { type: 'string', pattern: `^(?:${prefix})?${DIGITS}$` }],
  };
}

/**
 * The validators whose input no JSON schema can be derived from, because code reads the value or
 * the application checks it further, and their schemas.
 */
const BY_HAND: ReadonlyMap<unknown, Schema> = new Map<unknown, Schema>([
  [http.id, ref('GivenId')],
  [service.conversation, ref('ConversationKey')],
  [service.minutes, integer(1, 'Default: 10.', { maximum: 10 })],
  [service.trace.shape.nonce, nullable(ref('Nonce'))],
  [service.messageId, ref('GivenMessageId')],
  [service.time, ref('GivenTime')],
  [http.callLeft.shape.channelId, prefixedId('r-', 'r-5')],
  [http.voiceLeft.shape.communityId, prefixedId('com-?', 'com-1')],
  [http.voiceLeft.shape.channelId, prefixedId('c-', 'c-11')],
  [service.message.shape.content, text('The text. It must show something.', { minLength: 1, maxLength: 8_000 })],
  [service.message.shape.nonce, nullable(ref('Nonce'))],
  [service.ban.shape.reason, nullable(text('For administrators only.', { maxLength: MAX_REASON_CHARS }))],
  [service.slowMode.shape.seconds, ref('SlowModeSeconds')],
]);

/** The JSON schema of the bodies that a validator accepts. */
function inputOf(validator: z.ZodType): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(validator, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const known = BY_HAND.get(zodSchema);
      if (known === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema];
      Object.assign(jsonSchema, known);
    },
  });
  return schema as Schema;
}

/** The answers of a moderator, made from the validator that the server uses. */
export const MODERATOR_VERDICT = inputOf(VERDICT);

const NULL: Optional = optional({ type: 'null' });

function traceOf(subject: Readonly<Record<string, Schema | Optional>>): Schema {
  const { minutes: given = {}, nonce = {} } = inputOf(service.trace).properties ?? {};
  return object({ ...subject, minutes: optional(given), nonce: optional(nonce) }, { additionalProperties: true });
}

/** The bodies of the HTTP calls, made from the validators that the server uses. */
export const BODIES = {
  members: inputOf(http.members),
  messageCount: inputOf(http.messageCount),
  demoToken: inputOf(http.demoToken),
  callLeft: inputOf(http.callLeft),
  voiceLeft: inputOf(http.voiceLeft),
  message: inputOf(service.message),
  disconnect: inputOf(service.disconnect),
  ban: inputOf(service.ban),
  mute: inputOf(service.mute),
  slowMode: inputOf(service.slowMode),
  trace: {
    oneOf: [traceOf({ userId: ref('GivenId'), place: NULL }), traceOf({ place: ref('PlaceKey'), userId: NULL })],
  },
} as const;
