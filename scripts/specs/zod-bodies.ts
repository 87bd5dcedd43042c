import { z } from 'zod';
import {
  callLeftBody,
  demoTokenBody,
  id,
  membersBody,
  messageCountBody,
  voiceLeftBody,
} from '../../src/adapters/http/bodies.ts';
import {
  banBody,
  conversation,
  disconnectBody,
  messageBody,
  messageId,
  minutes,
  muteBody,
  slowModeBody,
  time,
  traceBody,
} from '../../src/adapters/http/service/bodies.ts';
import { VERDICT } from '../../src/adapters/rest/moderator.ts';
import { MAX_REASON_CHARS } from '../../src/domain/moderation.ts';
import { DIGITS } from './basic-schemas.ts';
import { integer, nullable, type Optional, object, optional, ref, type Schema, text } from './schema.ts';

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
  [id, ref('GivenId')],
  [conversation, ref('ConversationKey')],
  [minutes, integer(1, 'Default: 10.', { maximum: 10 })],
  [traceBody.shape.nonce, nullable(ref('Nonce'))],
  [messageId, ref('GivenMessageId')],
  [time, ref('GivenTime')],
  [callLeftBody.shape.channelId, prefixedId('r-', 'r-5')],
  [voiceLeftBody.shape.communityId, prefixedId('com-?', 'com-1')],
  [voiceLeftBody.shape.channelId, prefixedId('c-', 'c-11')],
  [messageBody.shape.content, text('The text. It must show something.', { minLength: 1, maxLength: 8_000 })],
  [messageBody.shape.nonce, nullable(ref('Nonce'))],
  [banBody.shape.reason, nullable(text('For administrators only.', { maxLength: MAX_REASON_CHARS }))],
  [slowModeBody.shape.seconds, ref('SlowModeSeconds')],
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
  const { minutes: given = {}, nonce = {} } = inputOf(traceBody).properties ?? {};
  return object({ ...subject, minutes: optional(given), nonce: optional(nonce) }, { additionalProperties: true });
}

/** The bodies of the HTTP calls, made from the validators that the server uses. */
export const BODIES = {
  members: inputOf(membersBody),
  messageCount: inputOf(messageCountBody),
  demoToken: inputOf(demoTokenBody),
  callLeft: inputOf(callLeftBody),
  voiceLeft: inputOf(voiceLeftBody),
  message: inputOf(messageBody),
  disconnect: inputOf(disconnectBody),
  ban: inputOf(banBody),
  mute: inputOf(muteBody),
  slowMode: inputOf(slowModeBody),
  trace: {
    oneOf: [traceOf({ userId: ref('GivenId'), place: NULL }), traceOf({ place: ref('PlaceKey'), userId: NULL })],
  },
} as const;
