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

/** UTF-16 code units of a file name. */
const MAX_NAME_CHARS = 200;
// Control characters, and characters that turn the reading direction: `gpj.exe` must not look like
// `exe.jpg`.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A file name that is safe to save under: without folders and control characters. A name that is
 * too long keeps its extension. Null when nothing is left.
 */
export function cleanFileName(name: string | null): string | null {
  const last = name?.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const clean = last.replace(INVISIBLE, '').trim();
  if (clean === '' || /^\.+$/.test(clean)) return null;
  if (clean.length <= MAX_NAME_CHARS) return clean;
  const ending = /\.[\p{L}\p{N}]{1,16}$/u.exec(clean)?.[0] ?? '';
  return clean.slice(0, MAX_NAME_CHARS - ending.length).toWellFormed() + ending;
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
