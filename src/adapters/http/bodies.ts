import type { z as Zod } from 'zod';
import { Refusal } from '../../domain/errors.ts';
import { parseId } from '../../domain/ids.ts';
import { idOf, isChannel, parseConversationKey } from '../../domain/place.ts';
import { type SchemaBuilder, schemas } from '../support/schemas.ts';

const MAX_MEMBERS = 500_000;
const MAX_ROOMS = 10_000;

const ID = 'must be a positive integer';

/** A function that returns a schema. It is built when the first body is checked. */
export type BodySchema<T> = () => Zod.ZodType<T>;

export function objectSchema<Shape extends Zod.core.$ZodShape>(z: SchemaBuilder, shape: Shape) {
  return z.object(shape, { error: 'must be a JSON object' });
}

/** The schemas of this file. */
export const httpSchemas = schemas((z) => {
  /** An id as every client writes it: a number or a decimal text. */
  const id = z.unknown().transform((value, context) => {
    const parsed = parseId(value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: ID });
    return z.NEVER;
  });
  /** An id with or without a prefix that names its kind: `c-11`, `com-1`, `com1`. */
  const idAfter = (prefix: RegExp) =>
    z.preprocess((value) => (typeof value === 'string' ? value.replace(prefix, '') : value), id);
  const idList = (max: number) =>
    z.array(id, { error: 'must be a list of ids' }).max(max, { error: `has more than ${max} entries` });
  const direction = z.enum(['out', 'in'], { error: 'must be out or in' });
  /** The users who are still in the call or channel. */
  const remaining = idList(MAX_MEMBERS)
    .nullish()
    .transform((list) => (list ?? []).map(String));
  return {
    id,
    members: idList(MAX_MEMBERS),
    messageCount: objectSchema(z, { userId: id, roomIds: idList(MAX_ROOMS) }),
    demoToken: objectSchema(z, { userId: id }),
    callLeft: objectSchema(z, { type: direction, channelId: idAfter(/^r-/), ids: remaining }),
    voiceLeft: objectSchema(z, {
      type: direction,
      communityId: idAfter(/^com-?/),
      channelId: z.preprocess((value) => (typeof value === 'string' ? (channelIdOf(value) ?? value) : value), id),
      ids: remaining,
    }),
  };
});

export const membersBody = () => httpSchemas().members;
export const messageCountBody = () => httpSchemas().messageCount;
export const demoTokenBody = () => httpSchemas().demoToken;
export const callLeftBody = () => httpSchemas().callLeft;
export const voiceLeftBody = () => httpSchemas().voiceLeft;

function channelIdOf(text: string): number | null {
  const key = parseConversationKey(text);
  return key !== null && isChannel(key) ? idOf(key) : null;
}

/**
 * Checks a parsed body.
 * @throws Refusal `bad-input` that names the field and the allowed values, never the value itself
 */
export function parseBody<T>(schema: BodySchema<T>, body: unknown): T {
  const result = schema().safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path ?? [];
  throw new Refusal('bad-input', `${nameOf(path)} ${isMissing(body, path) ? 'is missing' : issue?.message}`);
}

/** `roomIds`, `entry 3 of roomIds`, `entry 3 of the body`. The first entry has the number 0. */
function nameOf(path: readonly PropertyKey[]): string {
  const fields = path.filter((key) => typeof key === 'string');
  const name = fields.length === 0 ? 'the body' : fields.join('.');
  const entry = path.at(-1);
  return typeof entry === 'number' ? `entry ${entry} of ${name}` : name;
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  let value: unknown = body;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return false;
    if (!Object.hasOwn(value, key)) return true;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return false;
}
