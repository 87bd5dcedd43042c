/** How many causes of an error, and how many errors of an AggregateError, a log line shows. */
const MAX_CAUSES = 5;

/** An error as the log shows it. */
export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  /** `ECONNREFUSED`, `try-again`, ...; missing when the error has none. */
  readonly code?: string | number;
  /** Missing when it says no more than type and message. */
  readonly stack?: string;
  readonly cause?: unknown;
  /** The errors of an AggregateError. */
  readonly errors?: readonly unknown[];
}

/**
 * The fields of a caught value for the log. Every value that is not an error comes back as it is.
 */
export function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error) || depth > MAX_CAUSES) return error instanceof Error ? error.message : error;
  const { name, message, stack, cause } = error;
  const code = codeOf(error);
  return {
    type: name,
    message,
    ...(code !== undefined && { code }),
    ...(stack?.includes('\n    at ') && { stack }),
    ...(cause !== undefined && { cause: errorFields(cause, depth + 1) }),
    ...(error instanceof AggregateError && {
      errors: error.errors.slice(0, MAX_CAUSES).map((each) => errorFields(each, depth + 1)),
    }),
  } satisfies ErrorFields;
}

/** The result code of SQLite for a full disk. */
const SQLITE_FULL = 13;

/**
 * True when a full disk is among the causes of the error. Retries do not help then: somebody must
 * act.
 */
export function isDiskFull(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > MAX_CAUSES) return false;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if ('errcode' in error && error.errcode === SQLITE_FULL) return true;
  return isDiskFull(error.cause, depth + 1);
}

function codeOf(error: Error): string | number | undefined {
  if (!('code' in error)) return undefined;
  return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined;
}
