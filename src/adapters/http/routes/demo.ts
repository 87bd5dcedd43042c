import { fileURLToPath } from 'node:url';
import express from 'express';
import { demoTokenBody, parseBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendJson } from '../envelope.ts';
import { readUsualJsonBody } from '../json-body.ts';
import { sendPlain } from '../plain.ts';

/** Issues a token of a demo user: `{"userId":1}` to `{"token":"..."}`. */
export function demoTokenRoute(deps: HttpDeps, demo: NonNullable<HttpDeps['demo']>): Handler {
  return async (request, response) => {
    const { userId } = parseBody(demoTokenBody, await readUsualJsonBody(request, deps.limits));
    sendJson(response, 200, { token: await demo.issueToken(userId) });
  };
}

const FOLDER = fileURLToPath(new URL('../../../../page/', import.meta.url));
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob: http: https:",
  "media-src 'self' blob: http: https:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  // side-by-side.html shows the page twice.
  "frame-src 'self'",
  "frame-ancestors 'self'",
].join('; ');

/** Serves the demo page and its files. */
export function pageRoute(): Handler {
  const files = express.static(FOLDER, { dotfiles: 'ignore', redirect: false });
  return (request, response) => {
    response.setHeader('content-security-policy', POLICY);
    files(request, response, () => sendPlain(response, 404, 'no page has this address'));
  };
}
