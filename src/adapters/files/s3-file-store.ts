import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ByteStream, FileStore, StoredFile } from '../../application/ports/file-store.ts';
import { cleanFileName, OPAQUE_TYPE } from '../../domain/file.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { checkKey, isKey, type OnFailure, SourceErrors, storeFailure } from './names.ts';
import { sniffStream } from './sniff.ts';

export interface S3FileStoreOptions {
  readonly bucket: string;
  /** The prefix of every key. It ends with a slash, or is empty. */
  readonly prefix: string;
  /** Address of an S3-compatible store; null for Amazon S3. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: the SDK finds them by itself (`AWS_ACCESS_KEY_ID`, ...). */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  } | null;
  /** Milliseconds in which the store must answer, and send each part of a file. Default: 10 s. */
  readonly answerMs?: number;
}

type Sdk = typeof import('@aws-sdk/client-s3');

const ANSWER_MS = 10_000;
const MAX_ATTEMPTS = 2;
/**
 * Size of the parts of a large file: the smallest that S3 accepts. Two parts are in memory at once.
 */
const PART_BYTES = 5 * 1024 * 1024;
/** The name of a file, as UTF-8 in Base64url. */
const NAME_FIELD = 'name';
/** Earlier versions kept the name here, percent-encoded. */
const OLD_NAME_FIELD = 'filename';

/**
 * Files in a bucket. The SDK is loaded at the first use, because it is large and most servers have
 * no bucket.
 */
export class S3FileStore implements FileStore {
  readonly #options: S3FileStoreOptions;
  readonly #onFailure: OnFailure;
  #loaded: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | null = null;

  constructor(options: S3FileStoreOptions, onFailure: OnFailure = () => {}) {
    this.#options = options;
    this.#onFailure = onFailure;
  }

  async put(key: string, bytes: ByteStream, meta: { readonly fileName: string | null }): Promise<{ size: number }> {
    const target = this.#object(checkKey(key));
    const source = new SourceErrors();
    let size = 0;
    try {
      const { client } = await this.#client();
      const { Upload } = await import('@aws-sdk/lib-storage');
      const { contentType, bytes: all } = await sniffStream(source.watch(bytes));
      const fileName = cleanFileName(meta.fileName);
      const counted = async function* (): ByteStream {
        for await (const chunk of all) {
          size += chunk.length;
          yield chunk;
        }
      };
      const upload = new Upload({
        client,
        params: {
          ...target,
          Body: Readable.from(counted(), { objectMode: false, highWaterMark: 64 * 1024 }),
          ContentType: contentType,
          ...(fileName === null ? {} : { Metadata: { [NAME_FIELD]: encodedName(fileName) } }),
        },
        partSize: PART_BYTES,
        queueSize: 1,
        leavePartsOnError: false,
      });
      await upload.done();
      return { size };
    } catch (error) {
      throw source.reason(this.#onFailure, explained(error, 's3:PutObject'));
    }
  }

  async get(key: string, range?: { readonly start: number; readonly end: number }): Promise<StoredFile | null> {
    if (!isKey(key)) return null;
    const target = this.#object(key);
    const { sdk, client } = await this.#client();
    try {
      const head = await client.send(new sdk.HeadObjectCommand(target));
      return {
        size: head.ContentLength ?? 0,
        contentType: head.ContentType ?? OPAQUE_TYPE,
        fileName: nameIn(head.Metadata ?? {}),
        read: () => this.#read({ ...target, ...(range && { Range: `bytes=${range.start}-${range.end}` }) }),
      };
    } catch (error) {
      if (isMissing(error)) return null;
      throw storeFailure(this.#onFailure, explained(error, 's3:GetObject'));
    }
  }

  async remove(key: string): Promise<void> {
    if (!isKey(key)) return;
    const { sdk, client } = await this.#client();
    try {
      await client.send(new sdk.DeleteObjectCommand(this.#object(key)));
    } catch (error) {
      throw storeFailure(this.#onFailure, explained(error, 's3:DeleteObject'));
    }
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = null;
    (await loaded)?.client.destroy();
  }

  async *#read(input: { Bucket: string; Key: string; Range?: string }): ByteStream {
    try {
      const { sdk, client } = await this.#client();
      const { Body } = await client.send(new sdk.GetObjectCommand(input));
      if (Body instanceof Readable) yield* arriving(Body, this.#options.answerMs ?? ANSWER_MS);
    } catch (error) {
      throw storeFailure(this.#onFailure, explained(error, 's3:GetObject'));
    }
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: `${this.#options.prefix}${key}` };
  }

  #client(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    this.#loaded ??= import('@aws-sdk/client-s3').then((sdk) => ({ sdk, client: clientOf(sdk, this.#options) }));
    return this.#loaded;
  }
}

function clientOf(sdk: Sdk, options: S3FileStoreOptions): S3Client {
  const { endpoint, region, credentials, answerMs = ANSWER_MS } = options;
  return new sdk.S3Client({
    region,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: answerMs, throwOnRequestTimeout: true },
    // Not every compatible store knows the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === null ? {} : { credentials }),
  });
}

/**
 * Passes on the bytes of a file, and fails when the store sends none for `ms` milliseconds. The
 * time in which the reader asks for no bytes does not count.
 */
async function* arriving(body: Readable, ms: number): ByteStream {
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  const stalled = () => new Error(`the store sent no bytes of the file for ${ms / 1_000} s`);
  try {
    for (;;) {
      const next = await withTimeout(ms, chunks.next(), stalled);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

/**
 * Names the right that is missing. The answer of S3 to a HEAD request has a status only. Another
 * error is returned as it is.
 */
function explained(error: unknown, action: string): unknown {
  const status = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
  if (status !== 401 && status !== 403) return error;
  const given = error instanceof Error && /^[A-Z]\w+$/.test(error.name) ? error.name : `status ${status}`;
  const text = `the store refuses ${action} (${given}); AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or a right is wrong`;
  return Object.assign(new Error(text, { cause: error }), { name: 'AccessDenied' });
}

/** Values of headers must be ASCII, and S3 allows 2 KB for all of them. */
function encodedName(fileName: string): string {
  return Buffer.from(fileName).toString('base64url');
}

function nameIn(metadata: Readonly<Record<string, string>>): string | null {
  const encoded = metadata[NAME_FIELD];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64url').toString();
  try {
    return metadata[OLD_NAME_FIELD] === undefined ? null : decodeURIComponent(metadata[OLD_NAME_FIELD]);
  } catch {
    return null;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchKey');
}
