import type { Group } from '../src/bootstrap/config/variable.ts';
import { VARIABLE_NAMES, VARIABLES } from '../src/bootstrap/config/variables.ts';

const INTRODUCTION = `# Configuration

The server is configured by environment variables alone. With none set it starts by itself: what isn't configured is replaced by
its embedded counterpart. An empty text is as good as none. Values that make no sense stop the start, all of them named at once;
a variable that only looks like one of these gives a warning. Secrets are never logged.

The variables of the AWS SDK (\`AWS_ACCESS_KEY_ID\`, \`AWS_SECRET_ACCESS_KEY\`, ...) are read by the SDK, for a bucket in \`FILES_URL\`.

This page is made by \`node scripts/config-docs.ts > docs/configuration.md\`.
`;

/** The page of all variables, of the list that the server reads them by. */
export function configurationPage(): string {
  const groups = new Map<Group, string[]>();
  for (const name of VARIABLE_NAMES) {
    const { group, meaning, form, whenUnset } = VARIABLES[name];
    const line = [`\`${name}\``, meaning, form.description, whenUnset].map(cell).join(' | ');
    groups.set(group, [...(groups.get(group) ?? []), `| ${line} |`]);
  }
  const sections = [...groups].map(([group, lines]) =>
    [`## ${group}`, '', '| variable | meaning | value | when unset |', '|---|---|---|---|', ...lines, ''].join('\n'),
  );
  return [INTRODUCTION, ...sections].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) process.stdout.write(configurationPage());
