/** Bytes of a file as they come in or go out. Web-standard, so that no adapter's stream type is in the way. */
export type ByteStream = AsyncIterable<Uint8Array>;

export interface StoredFile {
  /** Of the whole file, in bytes. */
  readonly size: number;
  readonly contentType: string;
  /** Name for saving, as the sender gave it, cleaned; null for none. */
  readonly fileName: string | null;
  /** The asked range of the bytes. */
  read(): ByteStream;
}

/**
 * Keeps files under random keys. Nothing is ever held whole in memory.
 * Every method rejects with `Refusal('try-again')` when the store does not answer.
 */
export interface FileStore {
  /** Stores what `bytes` gives; when that fails or ends with an error, nothing is kept. Resolves when it is durable. */
  put(
    key: string,
    bytes: ByteStream,
    meta: { readonly contentType: string; readonly fileName: string | null },
  ): Promise<{ readonly size: number }>;
  /** Null: no such file. `range` is inclusive, checked by the caller against a first look without one. */
  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<StoredFile | null>;
  remove(key: string): Promise<void>;
}
