import { CONNECTION_REASONS } from '../connection-reasons.ts';
import type { KafkaProblem } from '../driver.ts';
import { UNAUTHORIZED } from '../unauthorized.ts';

/** The errors of the library have no names of their own, only these properties. */
interface LibraryError extends Error {
  readonly code?: unknown;
  /** Name of the error that a broker answered with. */
  readonly apiId?: unknown;
  readonly canRetry?: unknown;
}

const TOO_LARGE: ReadonlySet<unknown> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const NETWORK = 'PLT_KFK_NETWORK';
const MAX_DEPTH = 8;

/** The error and all errors inside it, from the outside to the inside. */
export function errorsIn(error: unknown, depth = 0): LibraryError[] {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [error, ...[...inner, error.cause].flatMap((one) => errorsIn(one, depth + 1))];
}

/** The names of the errors that brokers answered with. */
export function answersIn(error: unknown): string[] {
  return errorsIn(error).flatMap(({ apiId }) => (typeof apiId === 'string' ? [apiId] : []));
}

/**
 * Returns an error with the same meaning whose innermost error is reached through `cause`. The
 * library collects the errors of several attempts and brokers in a list instead.
 */
export function withCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const inner = error instanceof AggregateError ? error.errors.at(-1) : error.cause;
  if (!(inner instanceof Error)) return error;
  const cause = withCause(inner);
  if (!(error instanceof AggregateError)) return cause === inner ? error : new Error(error.message, { cause });
  return new Error(`${error.message} ${cause.message}`, { cause });
}

/** Names the meaning of an error of @platformatic/kafka, or of one of the errors inside it. */
export function classify(error: unknown): KafkaProblem {
  const all = errorsIn(error);
  if (all.some(({ apiId }) => TOO_LARGE.has(apiId))) return { kind: 'too-large' };
  const resource = all.flatMap(({ apiId }) => UNAUTHORIZED.get(apiId) ?? [])[0];
  if (resource !== undefined) return { kind: 'unauthorized', resource };
  if (all.some(isNotReady)) return { kind: 'not-ready' };
  // A refused or failed connection is the cause of an error of this code.
  if (all.some(({ code }) => code === NETWORK)) return { kind: 'connection', reason: reasonOf(all) };
  return { kind: 'other' };
}

function isNotReady({ name, message, code, apiId, canRetry }: LibraryError): boolean {
  if (name === 'NotReadyError') return true;
  // Not enough brokers have registered yet.
  if (apiId === 'INVALID_REPLICATION_FACTOR') return true;
  if (apiId !== undefined) return canRetry === true;
  // The library replaces the answer UNKNOWN_TOPIC_OR_PARTITION.
  if (code === 'PLT_KFK_USER') return message.startsWith('Unknown topic ');
  return code === NETWORK && message === 'Request timed out';
}

function reasonOf(all: readonly LibraryError[]): string {
  for (const { code } of all) {
    const reason = typeof code === 'string' ? CONNECTION_REASONS[code] : undefined;
    if (reason !== undefined) return reason;
  }
  const innermost = all.at(-1)?.message ?? '';
  return /timed out/.test(innermost) ? 'no answer' : innermost;
}
