import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../../domain/errors.ts';
import { refusalNumber } from '../transport/refusal-codes.ts';

// The fields of a successful answer, in the order of the original server.
const SUCCESS = JSON.stringify({ isSuccess: true, code: 1000, message: '요청에 성공하였습니다.' });
const BEFORE_RESULT = Buffer.from(`${SUCCESS.slice(0, -1)},"result":`);

export function wrappedRefusal(refusal: Refusal): object {
  return {
    isSuccess: false,
    code: refusalNumber(refusal.code),
    message: refusal.message,
    'retry-after-ms': refusal.retryAfterMs ?? undefined,
  };
}

/** Answers with JSON. The content type has no charset, as that of the original server. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, JSON.stringify(body));
}

/** Answers with a success, and with its result if there is one. */
export function sendSuccess(response: ServerResponse, result?: unknown): void {
  send(response, 200, result === undefined ? SUCCESS : resultBody(JSON.stringify(result)));
}

function send(response: ServerResponse, status: number, json: string | Buffer): void {
  response.statusCode = status;
  setJsonHeaders(response, json);
  response.end(json);
}

// V8 stores a text with Korean characters in two bytes a character. With envelope and result in one
// text, a history page took 80 µs longer.
function resultBody(json: string): Buffer {
  const end = BEFORE_RESULT.length + Buffer.byteLength(json);
  const body = Buffer.allocUnsafe(end + 1);
  body.set(BEFORE_RESULT);
  body.write(json, BEFORE_RESULT.length);
  body.write('}', end);
  return body;
}

/**
 * Milliseconds and bytes for which an unwanted body is still read before the connection is closed.
 */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Answers a request whose body may still be arriving. A socket that is closed with unread data is
 * reset, and the client may lose the answer. So the whole answer is sent, then the body is read and
 * discarded for a limited time, then the connection ends.
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

function setJsonHeaders(response: ServerResponse, json: string | Buffer): void {
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(json));
  response.setHeader('cache-control', 'no-store');
}
