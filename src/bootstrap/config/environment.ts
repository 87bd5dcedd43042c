import type { Form } from './forms.ts';
import { VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadEnvironment {
  /** A variable whose text makes no sense stands here as if it were not set. */
  readonly values: Values;
  /** Variables that are set, whether or not they make sense. An empty text is as good as none. */
  readonly given: ReadonlySet<VariableName>;
  /** One line each, beginning with the variable's name. */
  readonly problems: readonly string[];
}

/** Blanks at the ends belong to a secret. */
const AS_WRITTEN: ReadonlySet<VariableName> = new Set(['JWT_SECRET']);

/** Reads each variable by itself; what they mean together is for others to say. */
export function readEnvironment(env: Environment): ReadEnvironment {
  const given = new Set<VariableName>();
  const problems: string[] = [];
  const values: Partial<Record<VariableName, unknown>> = {};
  for (const name of VARIABLE_NAMES) {
    const { form, fallback }: { form: Form<unknown>; fallback: string | null } = VARIABLES[name];
    values[name] = fallback === null ? null : form.read(fallback);
    const written = env[name] ?? '';
    const text = AS_WRITTEN.has(name) ? written : written.trim();
    if (text === '') continue;
    given.add(name);
    try {
      values[name] = form.read(text);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : 'makes no sense'}`);
    }
  }
  // Every name has got what its own form reads.
  return { values: values as Values, given, problems };
}
