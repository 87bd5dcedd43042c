import { Refusal } from '../../domain/errors.ts';

const KEY = /^[A-Za-z0-9_-]{8,128}$/;

/** True for what can be a key: nothing else reaches a path or a URL. */
export function isKey(key: string): boolean {
  return KEY.test(key);
}

/** @throws Error for a key that this program can't have made */
export function checkKey(key: string): string {
  if (!isKey(key)) throw new Error('that is no file key');
  return key;
}

const MOST_CHARACTERS = 200;
// Control characters, and those that turn the reading direction: `gpj.exe` must not read `exe.jpg`.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A name for saving: no folders, no control characters, the ending kept where it is cut. Null where nothing is left. */
export function cleanFileName(name: string | null): string | null {
  const last = name?.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const clean = last.replace(UNSEEN, '').trim();
  if (clean === '' || /^\.+$/.test(clean)) return null;
  if (clean.length <= MOST_CHARACTERS) return clean;
  const ending = /\.[\p{L}\p{N}]{1,16}$/u.exec(clean)?.[0] ?? '';
  return clean.slice(0, MOST_CHARACTERS - ending.length).toWellFormed() + ending;
}

/** Hears why a store did not answer: clients are told only that it did not. */
export type OnFailure = (error: unknown) => void;

/** What a caller of the port hears of a failure of the technology. */
export function storeAway(onFailure: OnFailure, error: unknown): Refusal {
  onFailure(error);
  return new Refusal('try-again', 'the file store does not answer');
}

/** Remembers the error of a source, to tell it from one of the store that reads it. */
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

  /** The source's error where it failed, else what {@link storeAway} makes of `error`. */
  reason(onFailure: OnFailure, error: unknown): unknown {
    return this.#failed === null ? storeAway(onFailure, error) : this.#failed.error;
  }
}
