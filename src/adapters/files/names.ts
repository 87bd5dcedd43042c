import { Refusal } from '../../domain/errors.ts';

const KEY = /^[A-Za-z0-9_-]{8,128}$/;

/** True when a text can be a file key. No other text becomes part of a path or URL. */
export function isKey(key: string): boolean {
  return KEY.test(key);
}

/** @throws Error for a text that this server cannot have made as a key */
export function checkKey(key: string): string {
  if (!isKey(key)) throw new Error('a file key must have 8 to 128 letters, digits, - or _');
  return key;
}

/**
 * Receives the error of a file store, for the log. Clients see only that the store does not answer.
 */
export type OnFailure = (error: unknown) => void;

/** Reports a failure of the technology, and gives the refusal that the port promises for it. */
export function storeFailure(onFailure: OnFailure, error: unknown): Refusal {
  onFailure(error);
  return new Refusal('try-again', 'the file store does not answer');
}

/**
 * Remembers the error of a source of bytes, to distinguish it from an error of the store that reads
 * the source.
 */
export class SourceErrors {
  #failed: { readonly error: unknown } | null = null;

  async *watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      this.#failed = { error };
      throw error;
    }
  }

  /** The error of the source when it failed; otherwise a {@link storeFailure} for `error`. */
  reason(onFailure: OnFailure, error: unknown): unknown {
    return this.#failed === null ? storeFailure(onFailure, error) : this.#failed.error;
  }
}
