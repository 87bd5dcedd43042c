import type { Request, Response } from 'express';
import { asRefusal, Refusal } from '../../domain/errors.ts';
import type { HttpDeps } from './deps.ts';
import { sendJsonEarly, wrappedRefusal } from './envelope.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { sendPlain } from './plain.ts';

/**
 * Answers the error of a handler: 400 with an envelope and a number, or a plain status for calls
 * without an envelope.
 */
export function refuse(
  deps: Pick<HttpDeps, 'telemetry'>,
  metrics: HttpMetrics,
  request: Request,
  response: Response,
  route: string,
  plain: boolean,
  error: unknown,
): void {
  const refusal = refusalOf(error);
  metrics.refused(route, refusal.code);
  // An internal failure that arrives as a refusal has already been logged.
  if (refusal.code === 'internal' && !(error instanceof Refusal)) {
    deps.telemetry.log('error', 'an HTTP call failed', { route, error });
  }
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
  } else if (plain) {
    sendPlain(response, refusal.code === 'try-again' ? 503 : refusal.code === 'internal' ? 500 : 400, refusal.message);
  } else {
    const { retryAfterMs } = refusal;
    if (retryAfterMs !== null) response.setHeader('retry-after', Math.ceil(retryAfterMs / 1000));
    sendJsonEarly(request, response, 400, wrappedRefusal(refusal));
  }
}

/**
 * Express marks its own errors about a request with status 400, such as a path that cannot be
 * decoded.
 */
export function refusalOf(error: unknown): Refusal {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === 400
    ? new Refusal('bad-input', 'the path of the request has an invalid percent-encoding')
    : asRefusal(error);
}

const MAX_QUOTED_CHARS = 100;

/** The refusal of a call that is not in the table of calls. */
export function noSuchCall({ method, originalUrl }: Request): Refusal {
  const path = originalUrl.split('?', 1)[0] ?? '';
  return new Refusal('bad-input', `there is no call ${method} ${path.slice(0, MAX_QUOTED_CHARS)}`);
}
