import fc from 'fast-check';
import { nameIn, type Schema } from '../../../scripts/specs/schema.ts';
import { SCHEMAS } from '../../../scripts/specs/schemas.ts';

const MAX_CHARS = 200;

/** Random values that a schema accepts. Nonces never repeat, since a repeat means another thing. */
export function arbitraryOf(schema: Schema): fc.Arbitrary<unknown> {
  const name = nameIn(schema);
  if (name === 'Nonce') return fc.uuid();
  if (name !== null) return arbitraryOf(SCHEMAS[name] ?? {});
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return fc.oneof(...alternatives.map(arbitraryOf));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.length === 0 ? fc.jsonValue() : fc.oneof(...types.map((type) => ofType(type, schema)));
}

function ofType(type: string, schema: Schema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return schema.pattern === undefined ? textOf(schema) : fc.stringMatching(new RegExp(schema.pattern, 'u'));
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1e9, 2 ** 31 - 1) });
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: 1e9, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), { maxLength: 5 });
    case 'object':
      return objectOf(schema);
    default:
      return fc.constant(null);
  }
}

function textOf({ minLength = 0, maxLength = MAX_CHARS }: Schema): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, MAX_CHARS) });
}

function objectOf({ properties = {}, required = [], additionalProperties, propertyNames }: Schema) {
  if (typeof additionalProperties === 'object') {
    return fc.dictionary(arbitraryOf(propertyNames ?? {}).map(String), arbitraryOf(additionalProperties));
  }
  const fields = Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
}
