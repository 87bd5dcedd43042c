import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers and short answers that the HTTP endpoints have in common. */

const year = 31_536_000;
const plainCookie = /(?:^|;\s*)JSESSIONID=([\w.!~-]{1,128})(?:;|$)/;

/** Lets the page of an allowed origin read the answer, its cookies included. */
export function allowCors(request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers.origin;
  response.setHeader('Vary', 'Origin');
  response.setHeader('Access-Control-Allow-Origin', origin ?? '*');
  if (origin !== undefined) response.setHeader('Access-Control-Allow-Credentials', 'true');
}

/** For answers that carry private data, or were seen to be cached although POSTed. */
export function forbidCaching(response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-store, no-cache, no-transform, must-revalidate, max-age=0');
}

export function allowCachingForAYear(response: ServerResponse): void {
  response.setHeader('Cache-Control', `public, max-age=${year}`);
  response.setHeader('Expires', new Date(Date.now() + year * 1000).toUTCString());
}

/** Sets the cookie that load balancers stick by: the client's own value again, or a dummy. */
export function setStickyCookie(request: IncomingMessage, response: ServerResponse): void {
  const [, value = 'dummy'] = plainCookie.exec(request.headers.cookie ?? '') ?? [];
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

/** Answers a preflight: which methods the page may use. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, methods: string): void {
  allowCachingForAYear(response);
  response.setHeader('Access-Control-Max-Age', String(year));
  response.setHeader('Access-Control-Allow-Methods', methods);
  const wanted = request.headers['access-control-request-headers'];
  if (wanted) response.setHeader('Access-Control-Allow-Headers', wanted);
  answerNoContent(response);
}
