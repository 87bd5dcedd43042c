import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Schema } from '../../../scripts/specs/schema.ts';
import { SCHEMAS } from '../../../scripts/specs/schemas.ts';

const COMPONENTS = 'https://specs.example/components.json';

/**
 * Checks values against schemas of the specifications. A value may only have the fields that its
 * schema names, so that a field which nobody specified is found.
 */
export class SchemaChecker {
  readonly #ajv: Ajv2020;
  readonly #isClosed: boolean;
  readonly #known = new Map<Schema, ValidateFunction>();

  /** @param isClosed false: values may have more fields than their schemas name */
  constructor({ isClosed }: { readonly isClosed: boolean }) {
    this.#isClosed = isClosed;
    this.#ajv = new Ajv2020({ strict: false, allErrors: false, discriminator: false });
    const defs = Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, this.#prepared(schema)]));
    this.#ajv.addSchema({ $id: COMPONENTS, components: { schemas: defs } });
  }

  /**
   * The first mismatch with a JSON pointer, such as `/result/0/seq must be integer`; null for none.
   */
  mismatch(schema: Schema, value: unknown): string | null {
    let validate = this.#known.get(schema);
    if (validate === undefined) {
      validate = this.#ajv.compile(this.#prepared(schema));
      this.#known.set(schema, validate);
    }
    if (validate(value)) return null;
    const [error] = validate.errors ?? [];
    const extra = error?.params.additionalProperty;
    return `${error?.instancePath || '/'} ${error?.message}${extra === undefined ? '' : ` (${extra})`}`;
  }

  /** A copy with absolute references, whose objects are closed if the checker is. */
  #prepared(schema: Schema): object {
    const walk = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(walk);
      if (typeof value !== 'object' || value === null) return value;
      const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each)]));
      if (typeof copy.$ref === 'string') copy.$ref = COMPONENTS + copy.$ref;
      const isObject = copy.type === 'object' && copy.properties !== undefined;
      if (this.#isClosed && isObject && copy.additionalProperties === undefined) copy.additionalProperties = false;
      return copy;
    };
    return walk(schema) as object;
  }
}
