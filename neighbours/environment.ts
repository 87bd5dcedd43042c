import { z } from 'zod';

const blankIsUnset = (value: unknown) => (value === '' ? undefined : value);

/** One variable; an empty text is as good as none. */
export function variable<T extends z.ZodType>(schema: T) {
  return z.preprocess(blankIsUnset, schema);
}

/** Base URLs, split by commas or blanks, without the slash at the end. */
export const URL_LIST = variable(
  z
    .string()
    .default('')
    .transform((list) => list.split(/[\s,]+/).filter((url) => url !== ''))
    .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')))),
);

/** @param otherwise the port where the variable is not set */
export function portVariable(otherwise: number) {
  return variable(z.coerce.number().int().min(0).max(65_535).default(otherwise));
}

/** @throws Error whose message names each variable that makes no sense */
export function readEnvironment<T extends z.ZodType>(schema: T, environment: NodeJS.ProcessEnv): z.output<T> {
  const read = schema.safeParse(environment);
  if (read.success) return read.data;
  throw new Error(read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`).join('; '));
}
