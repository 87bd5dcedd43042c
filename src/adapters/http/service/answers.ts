import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal, RefusalCode } from '../../../domain/errors.ts';
import { refusalNumber } from '../../transport/refusal-codes.ts';
import { sendJson, sendJsonEarly } from '../envelope.ts';

/** The HTTP status of a refused call of the service API. */
export function statusOf(code: RefusalCode): number {
  switch (code) {
    case 'bad-input':
      return 400;
    case 'no-token':
    case 'bad-token':
      return 401;
    case 'not-permitted':
    case 'not-the-author':
      return 403;
    case 'message-not-found':
      return 404;
    case 'too-large':
      return 413;
    case 'too-fast':
      return 429;
    case 'try-again':
      return 503;
    case 'store-failed':
    case 'internal':
      return 500;
  }
}

/** Answers a refused call: a status, and `{"code":...,"message":"..."}`. */
export function sendServiceRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  status = statusOf(refusal.code),
): void {
  const { code, message, retryAfterMs } = refusal;
  if (retryAfterMs !== null) response.setHeader('retry-after', Math.ceil(retryAfterMs / 1000));
  if (code === 'no-token' || code === 'bad-token') response.setHeader('www-authenticate', 'Bearer');
  sendJsonEarly(request, response, status, {
    code: refusalNumber(code),
    message,
    'retry-after-ms': retryAfterMs ?? undefined,
  });
}

/** Answers a request for a thing that does not exist with 404. */
export function sendNotFound(response: ServerResponse, message: string): void {
  sendJson(response, 404, { code: refusalNumber('message-not-found'), message });
}
