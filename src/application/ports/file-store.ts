/**
 * The bytes of a file while they are transferred. A standard type, so that no adapter depends on
 * the streams of another.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

export interface StoredFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /**
   * The type that the first bytes show, e.g. `image/png`; `application/octet-stream` when they show
   * no type that may be served.
   */
  readonly contentType: string;
  /** The sender's name for the file, made safe to save under; null for none. */
  readonly fileName: string | null;
  /** The bytes of the requested range. */
  read(): ByteStream;
}

/**
 * Keeps files under random keys. No file is ever held in memory as a whole.
 * Every method rejects with `Refusal('try-again')` when the store does not answer.
 */
export interface FileStore {
  /**
   * Stores a file, and resolves when it is durable. When `bytes` throws, nothing is kept and `put`
   * rejects with the same error. The content type is derived from the bytes, never from the name.
   */
  put(key: string, bytes: ByteStream, meta: { readonly fileName: string | null }): Promise<{ readonly size: number }>;
  /**
   * Finds a file; null when there is none. `range` is inclusive. The caller checks it against the
   * size of the file.
   */
  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<StoredFile | null>;
  /** Removes a file. Does nothing when there is none. */
  remove(key: string): Promise<void>;
}
