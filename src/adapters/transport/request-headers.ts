import type { IncomingMessage } from 'node:http';

/** Bytes of the line and headers of an HTTP request that is served. */
export const MAX_HEADER_BYTES = 16_384;

/**
 * Bytes of the line and headers of a request that the parser reads. Between both limits, the server
 * knows the origin of the page and can answer it with 431.
 */
export const MAX_PARSED_HEADER_BYTES = 4 * MAX_HEADER_BYTES;

/**
 * Bytes of ` HTTP/1.1` and the blank after the method, and of `: ` and the line end of a header.
 */
const LINE_BYTES = 12;
const PAIR_BYTES = 4;

/** Bytes of the line and headers of a request, as they arrived. */
export function headerBytesOf({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length + LINE_BYTES + (rawHeaders.length / 2) * PAIR_BYTES;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
