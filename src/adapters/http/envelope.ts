import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../../domain/errors.ts';
import { refusalNumber } from './refusal-codes.ts';

/** The wrapper of every answer but one; clients of the original know it in this order. `undefined` is left out. */
export function wrapped(result?: unknown): object {
  return { isSuccess: true, code: 1000, message: '요청에 성공하였습니다.', result };
}

export function wrappedRefusal(refusal: Pick<Refusal, 'code' | 'message'>): object {
  return { isSuccess: false, code: refusalNumber(refusal.code), message: refusal.message };
}

/** Answers with JSON, by the type that the original names: no charset. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  setJsonHeaders(response, text);
  response.end(text);
}

// How much of an unwanted body is read on, and how long, before the connection is cut.
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Answers a request whose body may still be on its way. Closing a socket with unread data resets it, and the client may lose the answer: so the whole answer goes out,
 * then the body is read and thrown away for a bounded time, then the connection ends.
 */
export function sendJsonEarly(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  if (request.complete || !hasBody(request)) {
    sendJson(response, status, body);
    return;
  }
  const text = JSON.stringify(body);
  response.statusCode = status;
  setJsonHeaders(response, text);
  response.setHeader('connection', 'close');
  response.write(text);
  let left = LINGER_BYTES;
  const finish = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  timer.unref();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) finish();
  });
  request.on('end', finish);
  request.on('error', finish);
  request.on('close', finish);
  request.resume();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function setJsonHeaders(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.setHeader('cache-control', 'no-store');
}
