import type { NextFunction, Request, Response } from 'express';
import type { HttpDeps } from './deps.ts';
import { sendPlain } from './plain.ts';

const PREFLIGHT_SECONDS = 600;
/** The headers that a preflight allows if it names none. */
const DEFAULT_HEADERS = 'authorization, content-type, range, user-id';

/**
 * Lets pages of allowed origins make calls and read the answers, including the header `chat-seq`.
 * The calls need no cookies, so credentials are not allowed.
 */
export function cors(deps: HttpDeps) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { origin } = request.headers;
    response.vary('Origin');
    if (origin === undefined) {
      next();
      return;
    }
    const allowed = mayUse(deps, request);
    if (allowed) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', 'chat-seq');
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      next();
      return;
    }
    if (!allowed) {
      sendPlain(response, 403, foreignOrigin(request));
      return;
    }
    response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT');
    response.vary('Access-Control-Request-Headers');
    // Pages add headers of their own, such as those of tracing. None of them changes the answer.
    const asked = request.headers['access-control-request-headers'] ?? DEFAULT_HEADERS;
    response.setHeader('access-control-allow-headers', asked);
    response.setHeader('access-control-max-age', String(PREFLIGHT_SECONDS));
    response.status(204).end();
  };
}

const MAX_ORIGIN_CHARS = 200;

/** The message for a page whose origin is not allowed. */
export function foreignOrigin({ headers }: Request): string {
  const origin = (headers.origin ?? '').slice(0, MAX_ORIGIN_CHARS);
  return `pages of ${origin} may not use this server: ALLOWED_ORIGINS does not list this origin`;
}

/** True unless the request comes from a page of an origin that is not allowed. */
export function mayUse(deps: Pick<HttpDeps, 'allowOrigin' | 'clients'>, request: Request): boolean {
  return deps.allowOrigin(request.headers.origin, deps.clients.of(request).host);
}
