import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandHelp, programHelp } from '../../../src/bootstrap/cli/help.ts';
import { allCommands, COMMAND_NAMES } from '../../../src/bootstrap/cli/main.ts';
import { runCommand } from './run-command.ts';

const page = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8');

describe('the command line', () => {
  it('shows all commands with --help, and their options with COMMAND --help', async () => {
    const { code, out } = await runCommand(['--help']);
    expect(code).toBe(0);
    for (const name of COMMAND_NAMES) expect(out).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
    const help = await runCommand(['token', '--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('--user ID');
  });

  it('shows the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(await runCommand(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each([
    { words: ['strat'], message: /^chat-server: unknown command "strat"; the commands are start, .*\n$/ },
    { words: ['token', '--usr', '3'], message: /^chat-server token: .*'--usr'.*; see chat-server token --help\n$/ },
    { words: ['token', '--user'], message: /^chat-server token: .*'--user.*; see chat-server token --help\n$/ },
    { words: ['token', 'stray'], message: /^chat-server token: .*'stray'.*; see chat-server token --help\n$/ },
    { words: ['token'], message: /^chat-server token: --user is missing; see chat-server token --help\n$/ },
    {
      words: ['token', '--user', 'x'],
      message: /^chat-server token: --user must be a whole number from 1 to \d+, not "x"; see .*\n$/,
    },
  ])('refuses $words in one line, with exit code 2', async ({ words, message }) => {
    const { code, out, err } = await runCommand(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  it('keeps every line of its help within 80 columns', async () => {
    const commands = await allCommands();
    const lines = [programHelp(commands), ...commands.map(commandHelp)].join('').split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});

describe('docs/reference/cli.md', () => {
  it('docs/reference/cli.md has the help of the program and of every command, and no other', async () => {
    const commands = await allCommands();
    const texts = [programHelp(commands), ...commands.map(commandHelp)];
    const blocks = [...page.matchAll(/^```text\n(Usage: [\s\S]*?)```$/gm)].map(([, text]) => text);
    expect(blocks).toEqual(texts);
  });
});
