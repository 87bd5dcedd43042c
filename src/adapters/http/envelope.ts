import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from '../../domain/errors.ts';
import { refusalNumber } from '../transport/refusal-codes.ts';

// The fields of every success but one; clients of the original know them in this order.
const SUCCESS = JSON.stringify({ isSuccess: true, code: 1000, message: '요청에 성공하였습니다.' });
const BEFORE_RESULT = Buffer.from(`${SUCCESS.slice(0, -1)},"result":`);

export function wrappedRefusal(refusal: Pick<Refusal, 'code' | 'message'>): object {
  return { isSuccess: false, code: refusalNumber(refusal.code), message: refusal.message };
}

/** Answers with JSON, by the type that the original names: no charset. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, JSON.stringify(body));
}

/** Answers with a success, and its result where there is one. */
export function sendSuccess(response: ServerResponse, result?: unknown): void {
  send(response, 200, result === undefined ? SUCCESS : resultBody(JSON.stringify(result)));
}

function send(response: ServerResponse, status: number, json: string | Buffer): void {
  response.statusCode = status;
  setJsonHeaders(response, json);
  response.end(json);
}

// The Korean of the envelope beside the result in one text would make two bytes of each of its characters: a page of a history took 80 µs more.
function resultBody(json: string): Buffer {
  const end = BEFORE_RESULT.length + Buffer.byteLength(json);
  const body = Buffer.allocUnsafe(end + 1);
  body.set(BEFORE_RESULT);
  body.write(json, BEFORE_RESULT.length);
  body.write('}', end);
  return body;
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

function setJsonHeaders(response: ServerResponse, json: string | Buffer): void {
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(json));
  response.setHeader('cache-control', 'no-store');
}
