import type { Handler, HttpDeps } from '../deps.ts';
import { sendJson } from '../envelope.ts';

export function liveRoute(): Handler {
  return (_request, response) => sendJson(response, 200, { live: true });
}

/** Answers 503 while this server should get no clients. */
export function readyRoute(deps: HttpDeps): Handler {
  return (_request, response) => {
    const { ready, reasons, degraded } = deps.health();
    sendJson(response, ready ? 200 : 503, { ready, reasons, degraded });
  };
}

export function metricsRoute(deps: HttpDeps): Handler {
  return async (_request, response) => {
    const text = await deps.exposition.text();
    response.setHeader('content-type', deps.exposition.contentType);
    response.setHeader('cache-control', 'no-store');
    response.end(text);
  };
}
