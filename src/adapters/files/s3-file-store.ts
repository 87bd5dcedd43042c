import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ByteStream, FileStore, StoredFile } from '../../application/ports/file-store.ts';
import { cleanFileName, OPAQUE_TYPE } from '../../domain/file.ts';
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
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** Milliseconds in which a request must be answered. */
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
      throw source.reason(this.#onFailure, error);
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
      throw storeFailure(this.#onFailure, error);
    }
  }

  async remove(key: string): Promise<void> {
    if (!isKey(key)) return;
    const { sdk, client } = await this.#client();
    try {
      await client.send(new sdk.DeleteObjectCommand(this.#object(key)));
    } catch (error) {
      throw storeFailure(this.#onFailure, error);
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
      if (Body instanceof Readable) yield* Body;
    } catch (error) {
      throw storeFailure(this.#onFailure, error);
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

function clientOf(sdk: Sdk, { endpoint, region, credentials }: S3FileStoreOptions): S3Client {
  return new sdk.S3Client({
    region,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
    // Not every compatible store knows the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === null ? {} : { credentials }),
  });
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
