import { BASIC_SCHEMAS } from './basic-schemas.ts';
import { EVENT_SCHEMAS } from './event-schemas.ts';
import { HTTP_SCHEMAS } from './http-schemas.ts';
import { RECORD_SCHEMAS } from './record-schemas.ts';
import { nameIn, type Schema } from './schema.ts';
import { SERVICE_SCHEMAS } from './service-schemas.ts';

/** All named schemas of both documents. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  ...BASIC_SCHEMAS,
  ...EVENT_SCHEMAS,
  ...HTTP_SCHEMAS,
  ...SERVICE_SCHEMAS,
  ...RECORD_SCHEMAS,
};

/**
 * The named schemas that a document refers to, directly or through others, by name.
 * @throws Error for a reference to a schema that does not exist
 */
export function usedSchemas(document: unknown): Record<string, Schema> {
  const used = new Map<string, Schema>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const name = nameIn(value as Schema);
    if (name !== null && !used.has(name)) {
      const schema = SCHEMAS[name];
      if (schema === undefined) throw new Error(`there is no schema ${name}`);
      used.set(name, schema);
      visit(schema);
    }
    for (const each of Object.values(value)) visit(each);
  };
  visit(document);
  return Object.fromEntries([...used].sort(([one], [other]) => (one < other ? -1 : 1)));
}
