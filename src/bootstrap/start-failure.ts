import { refusedBy } from './refused.ts';

/**
 * A failure of the start, in words for the operator. The message begins with the variable to look
 * at, and holds no credentials.
 */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

export interface StartStep {
  /** The variable that decides about this step, e.g. `MONGODB_URL`; null when no variable does. */
  readonly variable: string | null;
  /** The remedy when a file can't be used. */
  readonly fileHint?: string;
}

/**
 * Runs one step of the start.
 * @throws StartFailure when the step fails; the original error is its cause
 */
export async function startStep<T>(step: StartStep, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StartFailure ? error : startFailure(step, error);
  }
}

/** Writes why the server did not start to standard error. */
export function reportFailedStart(error: unknown): void {
  process.stderr.write(`the chat server did not start: ${error instanceof Error ? error.message : String(error)}\n`);
}

export function startFailure({ variable, fileHint }: StartStep, error: unknown): StartFailure {
  const refused = variable === null ? null : refusedBy(variable, error);
  if (refused !== null) return new StartFailure(`${refused.variable}: ${refused.text}`, { cause: error });
  const message = messageOf(error);
  const file = FILE_ERROR.exec(message);
  const hint = file !== null && fileHint !== undefined ? `; ${fileHint}` : '';
  const text = reasonOf(message, file);
  const about = SERVER_ID_IN_USE.test(message) ? 'SERVER_ID' : variable;
  const prefix = about === null || text.startsWith(`${about} `) ? '' : `${about}: `;
  return new StartFailure(`${prefix}${text}${hint}`, { cause: error });
}

/** The messages of system errors of Node.js, and of libraries that pass them on. */
const REFUSED = /\bconnect ECONNREFUSED (\S+)/;
const TIMED_OUT = /\bconnect ETIMEDOUT (\S+)/;
const UNKNOWN_HOST = /\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) (\S+)/;
const ADDRESS_IN_USE = /\blisten EADDRINUSE: [^:]* (\S+)$/;
const ADDRESS_NOT_OURS = /\blisten EADDRNOTAVAIL: [^:]* (\S+)$/;
const LISTEN_DENIED = /\blisten EACCES: [^:]* (\S+)$/;
const FILE_ERROR = /^E[A-Z]+: ([^,]+), \w+ '([^']+)'/;

/** A message of the message bus. The operator must change SERVER_ID, not a variable of the bus. */
const SERVER_ID_IN_USE = /\banother live server uses the server id\b/;

const CREDENTIALS = /\/\/[^\s/@]*@/g;

function reasonOf(message: string, file: RegExpExecArray | null): string {
  const target = (pattern: RegExp): string | undefined => pattern.exec(message)?.[1];
  const refused = target(REFUSED);
  if (refused !== undefined) return `cannot connect to ${refused} (connection refused)`;
  const timedOut = target(TIMED_OUT);
  if (timedOut !== undefined) return `cannot connect to ${timedOut} (timeout)`;
  const unknownHost = target(UNKNOWN_HOST);
  if (unknownHost !== undefined) return `cannot find the host ${unknownHost}`;
  const inUse = target(ADDRESS_IN_USE);
  if (inUse !== undefined) return `${inUse} is in use by another process`;
  const notOurs = target(ADDRESS_NOT_OURS);
  if (notOurs !== undefined) return `${notOurs} is not an address of this machine`;
  const denied = target(LISTEN_DENIED);
  if (denied !== undefined) return `no permission to listen on ${denied}`;
  if (file !== null) return `cannot use ${file[2]} (${file[1]})`;
  return message.replace(CREDENTIALS, '//');
}

/**
 * The message of an error. An error about several addresses has an empty message, and contains one
 * error for each address.
 */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0) {
    return messageOf(error.errors[0]);
  }
  return error instanceof Error ? error.message : String(error);
}
