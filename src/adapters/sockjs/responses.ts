import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers and short answers that the HTTP endpoints share. */

const YEAR_SECONDS = 31_536_000;
const PLAIN_COOKIE = /(?:^|;\s*)JSESSIONID=([\w.!~-]{1,128})(?:;|$)/;

/** Lets a page of an allowed origin read the answer, including cookies. */
export function allowCors(request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers.origin;
  response.setHeader('Vary', 'Origin');
  response.setHeader('Access-Control-Allow-Origin', origin ?? '*');
  if (origin !== undefined) response.setHeader('Access-Control-Allow-Credentials', 'true');
}

/** For answers with private data, and for answers to POST that some proxies cache. */
export function forbidCaching(response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-store, no-cache, no-transform, must-revalidate, max-age=0');
}

export function allowCachingForAYear(response: ServerResponse): void {
  response.setHeader('Cache-Control', `public, max-age=${YEAR_SECONDS}`);
  response.setHeader('Expires', new Date(Date.now() + YEAR_SECONDS * 1000).toUTCString());
}

/**
 * Sets the cookie by which load balancers find a session's server: the client's own value again, or
 * `dummy`.
 */
export function setStickyCookie(request: IncomingMessage, response: ServerResponse): void {
  const [, value = 'dummy'] = PLAIN_COOKIE.exec(request.headers.cookie ?? '') ?? [];
  response.setHeader('Set-Cookie', `JSESSIONID=${value}; path=/`);
}

/** Answers with plain text. */
export function answer(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.end(text);
}

export function answerNoContent(response: ServerResponse): void {
  response.statusCode = 204;
  response.end();
}

export function answerMethodNotAllowed(response: ServerResponse, allowed: string): void {
  response.statusCode = 405;
  response.setHeader('Allow', allowed);
  response.end();
}

/** Answers a preflight request with the methods that the page may use. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, methods: string): void {
  allowCachingForAYear(response);
  response.setHeader('Access-Control-Max-Age', String(YEAR_SECONDS));
  response.setHeader('Access-Control-Allow-Methods', methods);
  const wanted = request.headers['access-control-request-headers'];
  if (wanted) response.setHeader('Access-Control-Allow-Headers', wanted);
  answerNoContent(response);
}
