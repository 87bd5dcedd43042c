import { readFileSync } from 'node:fs';
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

/** PEM text, or the path of a file with it. In the text, `\\n` may stand for a line break. */
export const PEM = variable(
  z
    .string()
    .transform((given, context) => {
      const inside = given.includes('-----BEGIN') ? given.replaceAll('\\n', '\n') : contentOf(given);
      if (inside?.includes('-----BEGIN') === true) return inside;
      // The message does not repeat the text: it may be a key in another form.
      context.addIssue('must be PEM text, or the path of a file with it');
      return z.NEVER;
    })
    .optional(),
);

/**
 * Reads the variables of the schema. `X_FILE` names a file with the value of `X`.
 * @throws Error that names each variable that is not valid
 */
export function readEnvironment<T extends z.ZodObject>(schema: T, environment: NodeJS.ProcessEnv): z.output<T> {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const name of Object.keys(schema.shape)) {
    const [value, file] = [environment[name], environment[`${name}_FILE`]];
    values[name] = value;
    if (file === undefined || file === '') continue;
    if (value !== undefined && value !== '') problems.push(`${name} and ${name}_FILE are both set`);
    values[name] = contentOf(file)?.replace(/\r?\n$/, '');
    if (values[name] === undefined) problems.push(`${name}_FILE: cannot read ${file}`);
  }
  const read = schema.safeParse(values);
  if (!read.success) {
    problems.push(...read.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`));
  }
  if (!read.success || problems.length > 0) throw new Error(problems.join('; '));
  return read.data;
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
