/** The frames that a SockJS server sends: `o`, `h`, `a[...]`, `c[code,"reason"]`. */

export const openFrame = 'o';
export const heartbeatFrame = 'h';

export function closeFrame(code: number, reason: string): string {
  return `c[${code},${JSON.stringify(reason)}]`;
}

export function arrayFrame(elements: readonly string[]): string {
  return `a[${elements.join(',')}]`;
}

export const badJson = 'Broken JSON encoding.';
export const noPayload = 'Payload expected.';

/**
 * The messages of what a client sent: a JSON array of strings, or one JSON string.
 * @throws {@link PayloadError} for anything else
 */
export function readMessages(json: string): readonly string[] {
  if (json === '') throw new PayloadError(noPayload);
  const value = parse(json);
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((message) => typeof message === 'string')) return value;
  throw new PayloadError(noPayload);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new PayloadError(badJson);
  }
}

/** What the client sent cannot be read; the message is meant for it. */
export class PayloadError extends Error {}
