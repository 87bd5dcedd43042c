/** The frames that a SockJS server sends are `o`, `h`, `a[...]` and `c[code,"reason"]`. */

export const OPEN_FRAME = 'o';
export const HEARTBEAT_FRAME = 'h';

export function closeFrame(code: number, reason: string): string {
  return `c[${code},${JSON.stringify(reason)}]`;
}

export function arrayFrame(elements: readonly string[]): string {
  return `a[${elements.join(',')}]`;
}

export const BAD_JSON = 'Broken JSON encoding.';
export const NO_PAYLOAD = 'Payload expected.';

/**
 * Reads the messages of a client: a JSON array of strings, or one JSON string.
 * @throws PayloadError for anything else
 */
export function readMessages(json: string): readonly string[] {
  if (json === '') throw new PayloadError(NO_PAYLOAD);
  const value = parse(json);
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((message) => typeof message === 'string')) return value;
  throw new PayloadError(NO_PAYLOAD);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new PayloadError(BAD_JSON);
  }
}

/** The messages of a client cannot be read. The error message is sent to the client. */
export class PayloadError extends Error {}
