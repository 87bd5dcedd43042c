/**
 * Every expected refusal, in words of the domain. The number that a client sees is chosen in one file of each inbound adapter.
 *
 * - `bad-input`: a field is missing, of the wrong shape or contradicts another
 * - `no-token`, `bad-token`: no token; one that is forged, expired, of another user
 * - `not-permitted`: not a member, not this caller's call
 * - `message-not-found`: the target or parent is not in that place (any more)
 * - `not-the-author`: someone else's message
 * - `too-large`, `too-fast`: over a limit
 * - `try-again`: something that is needed does not answer now. Nothing was changed, except that an event whose storing was under way when the database
 *   stopped answering may yet appear: who sends it again with the same nonce is safe
 * - `store-failed`: the database refused
 * - `internal`: a defect of ours
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

/** An expected "no". Its message is for people and holds nothing secret. Carries no stack: it is part of the normal path. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.name = 'Refusal';
    this.code = code;
  }
}

/** The refusal that an unknown failure amounts to: itself if it is one, else `internal`. */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal', 'something went wrong here');
}
