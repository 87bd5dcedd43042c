import { isRefusedBeyondSchema } from './beyond-schemas.ts';

/** An input in which one field is odd. */
export interface Case {
  readonly field: string;
  readonly value: unknown;
}

/** The value of a field that is left out. */
export const MISSING = Symbol('missing');

/** Each field with each value, and without it. */
export function casesOf(fields: readonly string[], values: readonly unknown[]): Case[] {
  return fields.flatMap((field) => [...values, MISSING].map((value) => ({ field, value })));
}

/** The base with the odd field in it. */
export function withOdd(base: Readonly<Record<string, unknown>>, { field, value }: Case): Record<string, unknown> {
  const { [field]: _, ...rest } = base;
  return value === MISSING ? rest : { ...rest, [field]: value };
}

function shown({ field, value }: Case): string {
  return `${field}: ${value === MISSING ? 'missing' : JSON.stringify(value).slice(0, 60)}`;
}

/**
 * The cases about which schema and server disagree. Both lists are empty if the schema is right.
 */
export async function disagreements(
  cases: readonly Case[],
  bySchema: (one: Case) => boolean,
  byServer: (one: Case) => Promise<boolean>,
) {
  const wrong = { onlySchemaAccepts: [] as string[], onlyServerAccepts: [] as string[] };
  for (const one of cases) {
    const [schema, server] = [bySchema(one), await byServer(one)];
    if (schema && !server && !isRefusedBeyondSchema(one.field, one.value)) wrong.onlySchemaAccepts.push(shown(one));
    if (!schema && server) wrong.onlyServerAccepts.push(shown(one));
  }
  return wrong;
}

/** No disagreement. */
export const AGREED = { onlySchemaAccepts: [], onlyServerAccepts: [] };
