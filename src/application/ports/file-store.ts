/** Bytes of a file as they come in or go out. Web-standard, so that no adapter's stream type is in the way. */
export type ByteStream = AsyncIterable<Uint8Array>;

export interface StoredFile {
  /** Of the whole file, in bytes. */
  readonly size: number;
  /** What the first bytes show it to be, e.g. `image/png`; `application/octet-stream` where they show nothing that is harmless to display. */
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
  /**
   * Stores what `bytes` gives, and resolves when it is durable. When `bytes` throws, nothing is kept and the same error comes out. The content type is found from the
   * bytes, never from the name.
   */
  put(key: string, bytes: ByteStream, meta: { readonly fileName: string | null }): Promise<{ readonly size: number }>;
  /** Null: no such file. `range` is inclusive, checked by the caller against a first look without one. */
  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<StoredFile | null>;
  /** Takes the file away; nothing happens where there is none. */
  remove(key: string): Promise<void>;
}
