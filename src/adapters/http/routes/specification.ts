import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Handler } from '../deps.ts';

/**
 * Serves a specification of the interfaces. `scripts/spec-docs.ts` generates the file. It is read
 * at each request and takes no memory in between.
 */
export function specificationRoute(name: 'openapi' | 'asyncapi'): Handler {
  const file = new URL(`../../../../docs/public/${name}.json`, import.meta.url);
  return async (request, response) => {
    const body = await readFile(file);
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 32)}"`;
    response.setHeader('etag', etag);
    // A copy may be kept, but must be compared with the server's before use.
    response.setHeader('cache-control', 'no-cache');
    if (request.headers['if-none-match']?.includes(etag) === true) {
      response.status(304).end();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-length', body.length);
    response.end(body);
  };
}
