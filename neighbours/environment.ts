import { z } from 'zod';

const blankIsUnset = (value: unknown) => (value === '' ? undefined : value);

/** A variable with its schema. An empty text counts as unset. */
export function variable<T extends z.ZodType>(schema: T) {
  return z.preprocess(blankIsUnset, schema);
}

/** Base URLs, separated by commas or blanks. Slashes at their ends are removed. */
export const URL_LIST = variable(
  z
    .string()
    .default('')
    .transform((list) => list.split(/[\s,]+/).filter((url) => url !== ''))
    .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')))),
);

/** A port number. @param defaultPort the port when the variable is not set */
export function portVariable(defaultPort: number) {
  return variable(z.coerce.number().int().min(0).max(65_535).default(defaultPort));
}

/** Reads the variables of the schema. @throws Error that names each variable that is not valid */
export function readEnvironment<T extends z.ZodType>(schema: T, environment: NodeJS.ProcessEnv): z.output<T> {
  const read = schema.safeParse(environment);
  if (read.success) return read.data;
  throw new Error(read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('; '));
}
