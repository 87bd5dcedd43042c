import { escapeHeader } from './escaping.ts';
import type { StompVersion } from './version.ts';

/**
 * Content type of all bodies. They are JSON, but some clients in use accept no other type than this
 * one.
 */
export const CONTENT_TYPE = 'text/plain;charset=UTF-8';

/**
 * Encodes a frame. `content-length` is added if there is a body.
 * @param headers in the order in which they are written; headers with null are left out
 */
export function encodeFrame(
  version: StompVersion,
  command: string,
  headers: readonly (readonly [name: string, value: string | number | null])[],
  body = '',
): string {
  const isPlain = command === 'CONNECT' || command === 'CONNECTED';
  let text = `${command}\n`;
  for (const [name, value] of headers) {
    if (value === null) continue;
    const written = isPlain ? String(value) : escapeHeader(String(value), version);
    text += `${isPlain ? name : escapeHeader(name, version)}:${written}\n`;
  }
  return body === '' ? `${text}\n\0` : `${text}content-length:${Buffer.byteLength(body)}\n\n${body}\0`;
}
