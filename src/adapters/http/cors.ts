import type { NextFunction, Request, Response } from 'express';
import type { HttpDeps } from './deps.ts';
import { sendPlain } from './plain.ts';

const PREFLIGHT_SECONDS = 600;

/** Lets pages of allowed origins call and read, `chat-seq` included. Cookies mean nothing here, so no credentials. */
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
      sendPlain(response, 403, 'pages of that origin may not call here');
      return;
    }
    response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, range, user-id');
    response.setHeader('access-control-max-age', String(PREFLIGHT_SECONDS));
    response.status(204).end();
  };
}

export function mayUse(deps: HttpDeps, request: Request): boolean {
  return deps.allowOrigin(request.headers.origin, deps.clients.of(request).host);
}
