import { VARIABLE_NAMES, VARIABLES, type VariableName } from '../config/variables.ts';
import { UsageError } from './arguments.ts';
import type { Command } from './command.ts';

export const ENV: Command = {
  name: 'env',
  summary: 'lists all environment variables with their defaults',
  about: ['docs/reference/configuration.md has the same table.'],
  options: {
    example: { meaning: 'writes an environment file instead, with every variable commented out' },
    json: { meaning: 'writes a JSON list instead, for programs' },
  },
  async run({ args, out }) {
    if (args.has('example') && args.has('json')) throw new UsageError('--example and --json exclude each other');
    if (args.has('json')) out(JSON.stringify(described(), null, 2));
    else out(args.has('example') ? example() : table());
    return 0;
  },
};

interface Described {
  readonly name: string;
  readonly group: string;
  readonly meaning: string;
  readonly value: string;
  /** Null for a variable without a default text. */
  readonly default: string | null;
  readonly whenUnset: string;
  /** True if NAME_FILE can name a file with the value. */
  readonly isSecret: boolean;
}

function described(): Described[] {
  return VARIABLE_NAMES.map((name: VariableName) => {
    const { group, meaning, form, whenUnset, fallback } = VARIABLES[name];
    return {
      name,
      group,
      meaning: plain(meaning),
      value: plain(form.description),
      default: fallback,
      whenUnset: plain(whenUnset),
      isSecret: form.isSecret,
    };
  });
}

function table(): string {
  const variables = described();
  const wide = Math.max(...variables.map(({ name }) => name.length));
  return grouped(variables, ({ name, meaning, whenUnset }) => [
    `  ${name.padEnd(wide)}  ${meaning}`,
    `  ${''.padEnd(wide)}  default: ${whenUnset}`,
  ]);
}

function example(): string {
  const variables = described();
  return grouped(variables, ({ name, meaning, value, default: fallback, whenUnset, isSecret }) => [
    `# ${meaning}; ${value}`,
    ...(fallback === null ? [`# default: ${whenUnset}`] : []),
    ...(isSecret ? [`# or ${name}_FILE=, the path of a file with the value`] : []),
    `#${name}=${fallback ?? ''}`,
    '',
  ]);
}

function grouped(variables: readonly Described[], linesOf: (variable: Described) => readonly string[]): string {
  const groups = Map.groupBy(variables, ({ group }) => group);
  return [...groups]
    .flatMap(([group, members]) => ['', `# ${group}`, '', ...members.flatMap((member) => linesOf(member))])
    .slice(1)
    .join('\n');
}

function plain(text: string): string {
  return text.replaceAll('`', '');
}
