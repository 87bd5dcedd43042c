/**
 * A JSON schema of draft 2020-12, as far as the specifications use it. OpenAPI 3.1 and AsyncAPI 3
 * both read this part in the same way.
 */
export interface Schema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: TypeName | readonly TypeName[];
  readonly const?: string | number | boolean | null;
  readonly enum?: readonly (string | number | null)[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly contentMediaType?: string;
}

export type TypeName = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

/** The place of the named schemas in both documents. */
const COMPONENTS = '#/components/schemas/';

/** A reference to a schema of the table `SCHEMAS`. */
export function ref(name: string): Schema {
  return { $ref: COMPONENTS + name };
}

/** The name in a reference; null if the schema is none. */
export function nameIn({ $ref }: Schema): string | null {
  return $ref?.startsWith(COMPONENTS) ? $ref.slice(COMPONENTS.length) : null;
}

/** A field that an object may lack. */
export interface Optional {
  readonly optional: Schema;
}

export function optional(schema: Schema): Optional {
  return { optional: schema };
}

/** An object. All fields are required except the {@link optional} ones. */
export function object(
  fields: Readonly<Record<string, Schema | Optional>>,
  more: Omit<Schema, 'type' | 'properties' | 'required'> = {},
): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if ('optional' in field) properties[name] = field.optional;
    else {
      properties[name] = field;
      required.push(name);
    }
  }
  return { ...more, type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
}

export function list(items: Schema, more: Omit<Schema, 'type' | 'items'> = {}): Schema {
  return { ...more, type: 'array', items };
}

export function text(description?: string, more: Omit<Schema, 'type' | 'description'> = {}): Schema {
  return { type: 'string', ...(description === undefined ? {} : { description }), ...more };
}

export function integer(minimum: number, description?: string, more: Omit<Schema, 'type' | 'minimum'> = {}): Schema {
  return { type: 'integer', minimum, ...(description === undefined ? {} : { description }), ...more };
}

/** The same schema, or null. */
export function nullable(schema: Schema): Schema {
  const { type, description } = schema;
  if (typeof type === 'string' && schema.enum === undefined) return { ...schema, type: [type, 'null'] };
  return { ...(description === undefined ? {} : { description }), anyOf: [schema, { type: 'null' }] };
}

/** A field that a client may leave out or set to null. */
export function nullish(schema: Schema): Optional {
  return optional(nullable(schema));
}

/** The same schema with another description. */
export function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}
