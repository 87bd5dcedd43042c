import { ConfigError } from '../config/config.ts';
import type { Environment } from '../config/given-text.ts';
import { StartFailure } from '../start-failure.ts';
import { packageVersion } from '../version.ts';
import { Arguments, UsageError } from './arguments.ts';
import { type Command, CommandFailure, type ExitCode } from './command.ts';
import { commandHelp, programHelp } from './help.ts';

/** All commands. The code of a command is loaded when it runs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).START,
  check: async () => (await import('./check.ts')).CHECK,
  env: async () => (await import('./env.ts')).ENV,
  backup: async () => (await import('./backup.ts')).BACKUP,
  restore: async () => (await import('./restore.ts')).RESTORE,
  verify: async () => (await import('./verify.ts')).VERIFY,
  migrate: async () => (await import('./migrate.ts')).MIGRATE,
  erase: async () => (await import('./erase.ts')).ERASE,
  load: async () => (await import('./load.ts')).LOAD,
  token: async () => (await import('./token.ts')).TOKEN,
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

export interface Surroundings {
  readonly env: Environment;
  out(text: string): void;
  err(text: string): void;
}

const PROCESS: Surroundings = {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** Every command, for the documentation. */
export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/**
 * Runs the program with these words after its name. Resolves with the exit code, or with null if
 * the process goes on.
 */
export async function main(
  words: readonly string[],
  { env, out, err }: Surroundings = PROCESS,
): Promise<ExitCode | null> {
  const [first = 'start', ...others] = words;
  // Options alone belong to `start`, except for the two that ask about the program.
  const name = first.startsWith('--') ? 'start' : first;
  const rest = first.startsWith('--') ? words : others;
  if (['--help', '-h', 'help'].includes(first)) {
    out(programHelp(await allCommands()));
    return 0;
  }
  if (first === '--version') {
    out(`${packageVersion()}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    err(`chat-server: unknown command ${JSON.stringify(name)}; the commands are ${COMMAND_NAMES.join(', ')}\n`);
    return 2;
  }
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    out(commandHelp(command));
    return 0;
  }
  const say = (text: string): void => err(`chat-server ${name}: ${text}\n`);
  try {
    const args = new Arguments(command.options, rest);
    return await command.run({ args, env, out: (text) => out(`${text}\n`), err: say });
  } catch (error) {
    return reported(error, name, say, err);
  }
}

/** Reports an error that the operator can mend. @throws every other error */
function reported(error: unknown, name: string, say: (text: string) => void, err: (text: string) => void): ExitCode {
  if (error instanceof UsageError) {
    say(`${error.message}; see chat-server ${name} --help`);
    return 2;
  }
  if (error instanceof ConfigError) {
    err(`${error.message}\n`);
    return 2;
  }
  if (error instanceof CommandFailure || error instanceof StartFailure) {
    say(error.message);
    return 1;
  }
  throw error;
}
