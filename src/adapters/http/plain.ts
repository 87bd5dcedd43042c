import type { ServerResponse } from 'node:http';

/** Answers with a status and one human-readable line, for calls without an envelope. */
export function sendPlain(response: ServerResponse, status: number, text: string): void {
  for (const name of ['content-disposition', 'etag', 'accept-ranges']) response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text) + 1);
  response.setHeader('cache-control', 'no-store');
  response.end(`${text}\n`);
}
