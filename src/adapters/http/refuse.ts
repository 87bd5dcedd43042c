import type { Request, Response } from 'express';
import { asRefusal, Refusal } from '../../domain/errors.ts';
import type { HttpDeps } from './deps.ts';
import { sendJsonEarly, wrappedRefusal } from './envelope.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { sendPlain } from './plain.ts';

/** Answers what a handler threw: 400 and a number for the wrapped calls, a plain status for the others. */
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
  // What comes as a refusal was logged where it was one.
  if (refusal.code === 'internal' && !(error instanceof Refusal)) {
    deps.telemetry.log('error', 'an HTTP call failed', { route, error });
  }
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
  } else if (plain) {
    sendPlain(response, refusal.code === 'try-again' ? 503 : refusal.code === 'internal' ? 500 : 400, refusal.message);
  } else {
    sendJsonEarly(request, response, 400, wrappedRefusal(refusal));
  }
}

/** What express itself throws about a request, a path that is no UTF-8 for example, is marked as the client's fault. */
function refusalOf(error: unknown): Refusal {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === 400 ? new Refusal('bad-input', 'the request is malformed') : asRefusal(error);
}
