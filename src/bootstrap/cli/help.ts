import type { Option } from './arguments.ts';
import type { Command } from './command.ts';

const WIDTH = 80;
const INDENT = 2;
const EXIT_CODES = [
  'Exit codes: 0 success, 1 a failure or a finding, 2 arguments or a configuration that are not valid.',
];

/** The help of the whole program. */
export function programHelp(commands: readonly Pick<Command, 'name' | 'summary'>[]): string {
  const wide = Math.max(...commands.map(({ name }) => name.length));
  const list = commands.map(({ name, summary }) => `${' '.repeat(INDENT)}${name.padEnd(wide)}  ${summary}`);
  return [
    'Usage: chat-server [command] [options]',
    '',
    ...wrapped('Without a command, the server starts. Environment variables configure all commands.', 0),
    '',
    ...list,
    '',
    ...wrapped('chat-server COMMAND --help shows the options of a command. --version shows the version.', 0),
    ...EXIT_CODES.flatMap((line) => wrapped(line, 0)),
    '',
  ].join('\n');
}

/** The help of one command. */
export function commandHelp({ name, summary, about, options }: Command): string {
  const all: [string, Option][] = [...Object.entries(options), ['help', { meaning: 'shows this help' }]];
  const spelled = all.map(([option, { value }]) => `--${option}${value === undefined ? '' : ` ${value}`}`);
  const wide = Math.max(...spelled.map((text) => text.length)) + INDENT + 2;
  const lines = all.flatMap(([, option], i) => {
    const [first = '', ...more] = wrapped(meaningOf(option), wide);
    return [`${' '.repeat(INDENT)}${spelled[i]}`.padEnd(wide) + first.trimStart(), ...more];
  });
  return [
    `Usage: chat-server ${name} [options]`,
    '',
    ...wrapped(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`, 0),
    ...about.flatMap((paragraph) => ['', ...wrapped(paragraph, 0)]),
    '',
    ...lines,
    '',
  ].join('\n');
}

function meaningOf({ meaning, fallback, multiple }: Option): string {
  const notes = [...(fallback === undefined ? [] : [`default: ${fallback}`]), ...(multiple ? ['may be repeated'] : [])];
  return notes.length === 0 ? meaning : `${meaning} (${notes.join('; ')})`;
}

/** The text in lines of at most 80 columns, each after `indent` blanks. */
function wrapped(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
}
