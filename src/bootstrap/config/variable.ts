import type { Form } from './forms.ts';

export type Group =
  | 'Server'
  | 'Tokens and the demo'
  | 'Message bus'
  | 'Storage and neighbours'
  | 'Files'
  | 'HTTP'
  | 'Sizes'
  | 'Rates and connections'
  | 'Times and windows'
  | 'Traces';

interface Row<T> {
  readonly group: Group;
  readonly form: Form<T>;
  readonly meaning: string;
  /** For the documentation: the effect of not setting the variable. */
  readonly whenUnset: string;
}

/** A variable that is read from `fallback` if it is not set. */
export interface Defaulted<T> extends Row<T> {
  readonly fallback: string;
}

/** A variable whose value is null if it is not set. */
export interface Optional<T> extends Row<T> {
  readonly fallback: null;
}

/** The values of a table of variables. */
export type ValuesOf<Table> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

type ValueOf<Variable> =
  Variable extends Defaulted<infer T> ? T : Variable extends Optional<infer T> ? T | null : never;

export function defaulted<T>(group: Group, form: Form<T>, fallback: string, meaning: string): Defaulted<T> {
  return { group, form, meaning, whenUnset: `\`${fallback}\``, fallback };
}

export function optional<T>(group: Group, form: Form<T>, whenUnset: string, meaning: string): Optional<T> {
  return { group, form, meaning, whenUnset, fallback: null };
}
