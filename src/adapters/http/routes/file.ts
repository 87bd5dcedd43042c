import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { StoredFile } from '../../../application/ports/file-store.ts';
import { isInlineType } from '../../../domain/file.ts';
import { type ByteRange, byteRange } from '../byte-range.ts';
import { contentDisposition } from '../content-disposition.ts';
import type { Handler, HttpDeps } from '../deps.ts';
import { sendPlain } from '../plain.ts';

/** Serves the bytes of a shared file to everybody who has a signed link to it. */
export function fileRoute(deps: HttpDeps): Handler {
  return async (request, response) => {
    const key = String(request.params.key);
    const until = deps.fileLinks.verify(key, { exp: request.query.exp, sig: request.query.sig });
    if (until === null) return sendPlain(response, 403, 'the link has expired or is not valid');
    const file = await deps.application.openFile(key);
    if (file === null) return sendPlain(response, 404, 'there is no such file');

    setHeaders(response, key, file, until - deps.clock.now());
    const etag = `"${key}"`;
    if (request.headers['if-none-match']?.includes(etag) === true) {
      response.status(304).end();
      return;
    }
    const current = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const range = byteRange(current ? request.headers.range : undefined, file.size);
    if (range === 'none') {
      response.setHeader('content-range', `bytes */${file.size}`);
      return sendPlain(response, 416, `the range is outside of the file, which has ${file.size} bytes`);
    }
    await sendBytes(deps, request, response, key, file, range);
  };
}

async function sendBytes(
  deps: HttpDeps,
  request: Request,
  response: Response,
  key: string,
  file: StoredFile,
  range: ByteRange | 'whole',
): Promise<void> {
  let part: StoredFile | null = file;
  response.statusCode = 200;
  response.setHeader('content-length', file.size);
  if (range !== 'whole') {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${range.start}-${range.end}/${file.size}`);
    response.setHeader('content-length', range.end - range.start + 1);
    if (request.method !== 'HEAD') part = await deps.application.openFile(key, range);
    if (part === null) return sendPlain(response, 404, 'there is no such file');
  }
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // A client that stops reading keeps the file open only until this timeout.
  response.setTimeout(deps.limits.idleMs, () => response.destroy());
  try {
    await pipeline(part.read(), response);
  } catch (error) {
    // The answer has announced a length. Only a broken connection shows the client that bytes are
    // missing.
    response.destroy();
    if (!response.closed && !request.destroyed) {
      deps.telemetry.log('warn', 'a download failed', { key, error });
    }
  }
}

function setHeaders(response: Response, key: string, file: StoredFile, msLeft: number): void {
  const shown = isInlineType(file.contentType);
  response.setHeader('content-type', file.contentType);
  response.setHeader('content-disposition', contentDisposition(shown ? 'inline' : 'attachment', file.fileName));
  response.setHeader('etag', `"${key}"`);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('cache-control', `private, max-age=${Math.max(0, Math.floor(msLeft / 1000))}, immutable`);
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
  );
  // Pages of other origins show these files by image tags.
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
}
