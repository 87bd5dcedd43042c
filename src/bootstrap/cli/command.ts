import type { Environment } from '../config/given-text.ts';
import type { Arguments, Options } from './arguments.ts';

/**
 * Exit codes of the program: 0 for success, 1 for a failure or a finding, 2 for arguments or a
 * configuration that are not valid.
 */
export type ExitCode = 0 | 1 | 2;

export interface CommandContext {
  readonly args: Arguments;
  readonly env: Environment;
  /** Writes lines to standard output. */
  out(text: string): void;
  /** Writes one line to standard error, with the name of the command before it. */
  err(text: string): void;
}

/** A command of `chat-server`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The paragraphs between the usage and the options. Each is one line. */
  readonly about: readonly string[];
  readonly options: Options;
  /**
   * Resolves with the exit code, or with null if the process goes on, as a server does.
   * @throws UsageError, ConfigError, StartFailure or CommandFailure for the operator
   */
  run(context: CommandContext): Promise<ExitCode | null>;
}

/** The command cannot do its work. The message names the part, and the variable if there is one. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}
