import type { ServerResponse } from 'node:http';

/** An answer outside of the wrapped calls: a status and a line for people. */
export function sendPlain(response: ServerResponse, status: number, text: string): void {
  for (const name of ['content-disposition', 'etag', 'accept-ranges']) response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text) + 1);
  response.setHeader('cache-control', 'no-store');
  response.end(`${text}\n`);
}
