import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { decodeAwsChunks } from './aws-chunks.ts';

interface StoredObject {
  readonly type: string;
  readonly etag: string;
  readonly size: number;
  /** `x-amz-meta-*`, `content-disposition` and `cache-control`, as received. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Upload {
  readonly path: string;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, StoredObject>;
}

export interface S3StubOptions {
  /** Answers over TLS with this certificate. Default: without TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Rights of the user, such as `s3:GetObject`. Default: all. */
  readonly allowed?: readonly string[];
}

const KEPT_HEADERS = /^(x-amz-meta-.*|content-disposition|cache-control)$/;

/**
 * A store with the part of S3 that object and multipart uploads need: PUT, GET with Range, HEAD and
 * DELETE, path-style. Every bucket exists and every signature is valid. Bodies are kept in a
 * temporary folder, never in memory.
 */
export class S3Stub {
  /** `http://127.0.0.1:PORT`, or `https:` with TLS. */
  readonly url: string;
  readonly #server: Server;
  readonly #folder: string;
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, Upload>();
  readonly #allowed: ReadonlySet<string> | null;
  #failing: { count: number; status: number } = { count: 0, status: 503 };

  private constructor(server: Server, folder: string, { tls, allowed }: S3StubOptions) {
    const { port } = server.address() as AddressInfo;
    this.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    this.#allowed = allowed === undefined ? null : new Set(allowed);
    this.#server = server;
    this.#folder = folder;
    server.on('request', (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else fail(response, 500, 'InternalError', String(error));
      });
    });
  }

  static async start(options: S3StubOptions = {}): Promise<S3Stub> {
    const folder = await mkdtemp(join(tmpdir(), 'chat-test-s3-'));
    const server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new S3Stub(server, folder, options);
  }

  /** The `bucket/key` of all objects, sorted. */
  get keys(): readonly string[] {
    return [...this.#objects.keys()].sort();
  }

  /** Multipart uploads that were neither completed nor aborted. */
  get openUploads(): number {
    return this.#uploads.size;
  }

  /** The content of `bucket/key`. @throws Error if there is no such object */
  body(path: string): Promise<Buffer> {
    return readFile(this.#fileOf(path));
  }

  /** Answers the next `count` requests with `status` and an S3 error. */
  failNext(count: number, status = 503): void {
    this.#failing = { count, status };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const path = decodeURIComponent(pathname.slice(1));
    if (this.#failing.count > 0) {
      this.#failing.count -= 1;
      request.resume();
      return fail(response, this.#failing.status, 'SlowDown', 'a test asked for this failure');
    }
    const uploadId = searchParams.get('uploadId');
    if (this.#allowed?.has(actionOf(request.method, uploadId !== null)) === false) {
      request.resume();
      return fail(response, 403, 'AccessDenied', 'Access Denied', request.method === 'HEAD');
    }
    if (request.method === 'POST' && searchParams.has('uploads')) return this.#create(path, request, response);
    if (uploadId !== null) return this.#multipart(uploadId, searchParams, request, response);
    switch (request.method) {
      case 'PUT':
        return this.#put(path, request, response);
      case 'GET':
      case 'HEAD':
        return this.#get(path, request, response);
      case 'DELETE':
        this.#objects.delete(path);
        await rm(this.#fileOf(path), { force: true });
        response.writeHead(204).end();
        return;
      default:
        fail(response, 405, 'MethodNotAllowed', `${request.method}`);
    }
  }

  async #put(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (hasTooMuchMetadata(request)) return fail(response, 400, 'MetadataTooLarge', path);
    const stored = await this.#store(path, request);
    this.#objects.set(path, stored);
    response.writeHead(200, { etag: stored.etag }).end();
  }

  async #get(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const stored = this.#objects.get(path);
    if (stored === undefined) return fail(response, 404, 'NoSuchKey', path, request.method === 'HEAD');
    const range = rangeOf(request.headers.range, stored.size);
    if (range === 'unsatisfiable') return fail(response, 416, 'InvalidRange', String(request.headers.range));
    const { start, end } = range ?? { start: 0, end: stored.size - 1 };
    response.writeHead(range === undefined ? 200 : 206, {
      ...stored.headers,
      'content-type': stored.type,
      'content-length': end - start + 1,
      'accept-ranges': 'bytes',
      etag: stored.etag,
      'last-modified': (await stat(this.#fileOf(path))).mtime.toUTCString(),
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${stored.size}` }),
    });
    if (request.method === 'HEAD' || stored.size === 0) response.end();
    else await pipeline(createReadStream(this.#fileOf(path), { start, end }), response);
  }

  async #create(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (hasTooMuchMetadata(request)) return fail(response, 400, 'MetadataTooLarge', path);
    const id = randomUUID();
    this.#uploads.set(id, { path, type: typeOf(request), headers: keptHeaders(request), parts: new Map() });
    answer(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }

  async #multipart(
    id: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const upload = this.#uploads.get(id);
    if (upload === undefined) {
      request.resume();
      return fail(response, 404, 'NoSuchUpload', id);
    }
    if (request.method === 'PUT') {
      const number = Number(query.get('partNumber'));
      const part = await this.#store(`${id}/${number}`, request);
      upload.parts.set(number, part);
      response.writeHead(200, { etag: part.etag }).end();
    } else if (request.method === 'DELETE') {
      await this.#forget(id, upload);
      response.writeHead(204).end();
    } else await this.#complete(id, upload, await text(request), response);
  }

  async #complete(id: string, upload: Upload, order: string, response: ServerResponse): Promise<void> {
    const numbers = [...order.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((match) => Number(match[1]));
    if (numbers.length === 0 || numbers.some((number) => !upload.parts.has(number))) {
      return fail(response, 400, 'InvalidPart', numbers.join(','));
    }
    const whole = join(this.#folder, `whole-${id}`);
    await writeFile(whole, '');
    let size = 0;
    for (const number of numbers) {
      await pipeline(createReadStream(this.#fileOf(`${id}/${number}`)), createWriteStream(whole, { flags: 'a' }));
      size += upload.parts.get(number)?.size ?? 0;
    }
    await rename(whole, this.#fileOf(upload.path));
    const etag = `"${id.replaceAll('-', '')}-${numbers.length}"`;
    this.#objects.set(upload.path, { type: upload.type, headers: upload.headers, etag, size });
    await this.#forget(id, upload);
    const location = `<Location>${this.url}</Location><ETag>${etag.replaceAll('"', '&quot;')}</ETag>`;
    answer(response, `<CompleteMultipartUploadResult>${location}</CompleteMultipartUploadResult>`);
  }

  async #forget(id: string, upload: Upload): Promise<void> {
    this.#uploads.delete(id);
    await Promise.all([...upload.parts.keys()].map((number) => rm(this.#fileOf(`${id}/${number}`), { force: true })));
  }

  /**
   * Writes to another file and renames it, so that an interrupted upload does not change the
   * object.
   */
  async #store(path: string, request: IncomingMessage): Promise<StoredObject> {
    const partial = join(this.#folder, `partial-${randomUUID()}`);
    const chunked = /^STREAMING-/.test(String(request.headers['x-amz-content-sha256'] ?? ''));
    const body: Readable | AsyncIterable<Buffer> = chunked ? decodeAwsChunks(request) : request;
    const hash = createHash('md5');
    let size = 0;
    try {
      await pipeline(
        body,
        async function* count(source: AsyncIterable<Buffer>) {
          for await (const piece of source) {
            hash.update(piece);
            size += piece.length;
            yield piece;
          }
        },
        createWriteStream(partial),
      );
      await rename(partial, this.#fileOf(path));
    } finally {
      await rm(partial, { force: true });
    }
    return { type: typeOf(request), headers: keptHeaders(request), etag: `"${hash.digest('hex')}"`, size };
  }

  #fileOf(path: string): string {
    return join(this.#folder, createHash('sha256').update(path).digest('hex'));
  }
}

/** The right that a request needs. */
function actionOf(method: string | undefined, isOfUpload: boolean): string {
  if (method === 'DELETE') return isOfUpload ? 's3:AbortMultipartUpload' : 's3:DeleteObject';
  return method === 'GET' || method === 'HEAD' ? 's3:GetObject' : 's3:PutObject';
}

function typeOf(request: IncomingMessage): string {
  return request.headers['content-type'] ?? 'application/octet-stream';
}

/** S3 allows 2 KB of names and values of metadata. */
function hasTooMuchMetadata(request: IncomingMessage): boolean {
  const metadata = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return metadata.flat().join('').length > 2048;
}

function keptHeaders(request: IncomingMessage): Record<string, string> {
  const kept = Object.entries(request.headers).filter(([name]) => KEPT_HEADERS.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

function answer(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${xml}`);
}

function fail(response: ServerResponse, status: number, code: string, message: string, bare = false): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  const escaped = message.replace(/[<>&]/g, ' ');
  response.end(
    bare ? undefined : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${escaped}</Message></Error>`,
  );
}
