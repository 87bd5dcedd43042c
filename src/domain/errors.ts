/**
 * The codes of all expected refusals, in domain words. One file of each inbound adapter maps them
 * to the numbers that clients see.
 *
 * - `bad-input`: a field is missing, has the wrong form or contradicts another field
 * - `no-token`: the request has no token
 * - `bad-token`: the token is forged, expired or belongs to another user
 * - `not-permitted`: the user is not a member of the place, or the caller may not make this call
 * - `message-not-found`: the target or parent does not exist in that place, or was deleted
 * - `not-the-author`: the message is by another user
 * - `too-large`, `too-fast`: a limit of size or rate is exceeded
 * - `try-again`: a service that is needed does not answer now. Nothing was changed, with one
 *   exception: an event that was being stored when the database stopped answering may still appear.
 *   Sending it again with the same nonce is safe
 * - `store-failed`: the database refused the operation
 * - `internal`: a defect of this server
 */
export type RefusalCode =
  | 'bad-input'
  | 'no-token'
  | 'bad-token'
  | 'not-permitted'
  | 'message-not-found'
  | 'not-the-author'
  | 'too-large'
  | 'too-fast'
  | 'try-again'
  | 'store-failed'
  | 'internal';

/** The pause before a new attempt where the limit does not depend on time, in milliseconds. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

export interface RefusalOptions extends ErrorOptions {
  /** For `too-fast` only. Default: 1,000. */
  readonly retryAfterMs?: number;
}

/**
 * An expected failure that is reported to the caller. Its message is human-readable and contains
 * nothing secret. It has no stack, because refusals are frequent. The cause is for the log only:
 * clients never see it.
 */
export class Refusal extends Error {
  readonly code: RefusalCode;
  /**
   * Only with `too-fast`, and then always: after this many milliseconds, the same request may
   * succeed.
   */
  readonly retryAfterMs: number | null;

  constructor(code: RefusalCode, message: string, options?: RefusalOptions) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = limit;
    this.name = 'Refusal';
    this.code = code;
    this.retryAfterMs = code === 'too-fast' ? (options?.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) : null;
  }
}

/**
 * Turns any caught value into a Refusal: a Refusal stays itself, everything else becomes `internal`
 * without its details.
 */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal', 'the server failed unexpectedly');
}

/** True if what failed does not answer now, so that the same request may succeed later. */
export function isTryAgain(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'try-again';
}
