import { fileURLToPath } from 'node:url';
import { demoTokenBody, parseBody } from '../bodies.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendJson } from '../envelope.ts';
import { readUsualJsonBody } from '../json-body.ts';
import { builtAt, type PageFile, readPageFiles } from '../page-files.ts';
import { sendPlain } from '../plain.ts';

/** Issues a token of a demo user: `{"userId":1}` to `{"token":"..."}`. */
export function demoTokenRoute(deps: HttpDeps, demo: NonNullable<HttpDeps['demo']>): Handler {
  return async (request, response) => {
    const { userId } = parseBody(demoTokenBody, await readUsualJsonBody(request, deps.limits));
    sendJson(response, 200, { token: await demo.issueToken(userId) });
  };
}

const FOLDER = fileURLToPath(new URL('../../../../page/dist/', import.meta.url));
const IMMUTABLE = 'public, max-age=31536000, immutable';
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

/**
 * Serves the demo page and its files. They are read and compressed at the first request, and again
 * after a build.
 */
export function pageRoute(folder = FOLDER): Handler {
  let files: ReadonlyMap<string, PageFile> = new Map();
  let readAt: number | null = null;
  return (request, response) => {
    response.setHeader('content-security-policy', POLICY);
    const name = request.path === '/' ? 'index.html' : request.path.slice(1);
    const built = files.size === 0 || name === 'index.html' ? builtAt(folder) : readAt;
    if (built !== readAt) {
      files = readPageFiles(folder);
      readAt = built;
    }
    const file = files.get(name);
    if (file === undefined) {
      const why = files.size === 0 ? 'the page is not built: run npm run build:page' : 'no page has this address';
      sendPlain(response, 404, why);
      return;
    }
    response.setHeader('etag', file.etag);
    response.setHeader('vary', 'accept-encoding');
    response.setHeader('cache-control', file.isImmutable ? IMMUTABLE : 'no-cache');
    if (request.headers['if-none-match'] === file.etag) {
      response.status(304).end();
      return;
    }
    const isGzip = file.gzip !== null && acceptsGzip(request.headers['accept-encoding']);
    if (isGzip) response.setHeader('content-encoding', 'gzip');
    response.setHeader('content-type', file.type);
    response.end(isGzip ? file.gzip : file.bytes);
  };
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return /(^|,)\s*(gzip|\*)\s*(;\s*q=(1|0?\.\d*[1-9]))?\s*(,|$)/.test(String(header ?? ''));
}
