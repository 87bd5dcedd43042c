const FINAL: readonly number[] = [2100, 2103, 2112, 2413, 4111];
const TOKEN: readonly number[] = [2101, 2102];

/** A refusal by the server, or by the client itself for a message that no server would accept. */
export class Refused extends Error {
  /** One of the codes in docs/reference/protocol.md, such as 2103. */
  readonly code: number;
  /** Milliseconds after which the same command may be accepted; null where the server said none. */
  readonly retryAfterMs: number | null;

  constructor(code: number, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'Refused';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** true: the same command can never be accepted. */
  get isFinal(): boolean {
    return FINAL.includes(this.code);
  }

  /** true: a fresh token may help. */
  get isAboutToken(): boolean {
    return TOKEN.includes(this.code);
  }
}

/**
 * No answer came before the timeout or the end of the connection. The server may have handled the
 * command or not.
 */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/**
 * Thrown by the `token` function: the user is signed out. The client then closes and stays closed.
 */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Reads a refusal from the body of an ERROR frame, of an error message or of an HTTP answer. */
export function refusedBy(body: Readonly<Record<string, unknown>>): Refused {
  const pause = Number(body['retry-after-ms']);
  return new Refused(Number(body.code ?? 0), String(body.message ?? ''), pause > 0 ? pause : null);
}

export function isFinal(error: unknown): error is Refused {
  return error instanceof Refused && error.isFinal;
}
