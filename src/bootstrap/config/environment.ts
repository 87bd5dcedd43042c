import type { Form } from './forms.ts';
import { type Environment, FileProblem, givenText } from './given-text.ts';
import { VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './variables.ts';

export type { Environment };

export interface ReadEnvironment {
  /** The values. A variable with a text that is not valid has the value of one that is not set. */
  readonly values: Values;
  /** The variables that are set, to a valid text or not. An empty text counts as not set. */
  readonly given: ReadonlySet<VariableName>;
  /** The errors, one line each, beginning with the name of the variable. */
  readonly problems: readonly string[];
}

/** White space at the ends of these variables is a part of the value. */
const NOT_TRIMMED: ReadonlySet<VariableName> = new Set(['JWT_SECRET']);

/** Reads each variable by itself. `rules.ts` checks them together. */
export function readEnvironment(env: Environment): ReadEnvironment {
  const given = new Set<VariableName>();
  const problems: string[] = [];
  const values: Partial<Record<VariableName, unknown>> = {};
  for (const name of VARIABLE_NAMES) {
    const { form, fallback }: { form: Form<unknown>; fallback: string | null } = VARIABLES[name];
    values[name] = fallback === null ? null : form.read(fallback);
    try {
      const written = form.isSecret ? givenText(env, name) : (env[name] ?? '');
      const text = NOT_TRIMMED.has(name) ? written : written.trim();
      if (text === '') continue;
      given.add(name);
      values[name] = form.read(text);
    } catch (error) {
      given.add(name);
      problems.push(
        error instanceof FileProblem
          ? error.message
          : `${name} ${error instanceof Error ? error.message : 'is not valid'}`,
      );
    }
  }
  // Each value was read by the form of its variable, so it has the variable's type.
  return { values: values as Values, given, problems };
}
