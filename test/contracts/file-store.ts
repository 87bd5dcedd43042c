import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ByteStream, FileStore } from '../../src/application/ports/file-store.ts';

/** A store under test, with access to what lies behind it. */
export interface FileStoreUnderTest {
  readonly store: FileStore;
  /** The names of everything that is kept, also of incomplete files. */
  kept(): Promise<readonly string[]>;
  /** The errors that the store has reported for the log. */
  readonly failures: readonly unknown[];
  /** Breaks the technology behind the store: from now on it does not answer. */
  breakDown(): Promise<void>;
  close(): Promise<void>;
}

const KEY = 'Zk3_a-0123456789abcdef';
const OTHER = 'Zk3_b-0123456789abcdef';
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');
const MB = 1024 * 1024;

async function* chunksOf(...parts: readonly (string | Uint8Array)[]): ByteStream {
  for (const part of parts) yield Buffer.from(part);
}

/** The contract of FileStore. Every adapter must pass it. */
export function fileStoreContract(name: string, start: () => Promise<FileStoreUnderTest>): void {
  describe(`file store: ${name}`, () => {
    let under: FileStoreUnderTest;
    let store: FileStore;
    beforeEach(async () => {
      under = await start();
      ({ store } = under);
    });
    afterEach(() => under.close());

    async function textOf(key: string, range?: { start: number; end: number }): Promise<string | null> {
      const file = await store.get(key, range);
      return file === null ? null : (await buffer(file.read())).toString();
    }

    it('returns a stored file unchanged, as often as it is read', async () => {
      const put = await store.put(KEY, chunksOf('hello ', 'world'), { fileName: 'a b한.txt' });
      expect(put).toEqual({ size: 11 });
      const file = await store.get(KEY);
      expect(file).toMatchObject({ size: 11, fileName: 'a b한.txt' });
      expect(await textOf(KEY)).toBe('hello world');
      expect(await textOf(KEY)).toBe('hello world');
    });

    it('keeps files with the same name apart, and stores an empty file', async () => {
      await store.put(KEY, chunksOf('one'), { fileName: 'x' });
      await store.put(OTHER, chunksOf(), { fileName: 'x' });
      expect(await textOf(KEY)).toBe('one');
      expect(await store.get(OTHER)).toMatchObject({ size: 0 });
      expect(await textOf(OTHER)).toBe('');
    });

    it.each([
      [0, 0, 'h'],
      [6, 10, 'world'],
      [4, 6, 'o w'],
    ])('returns the range of the bytes %i to %i', async (from, end, text) => {
      await store.put(KEY, chunksOf('hello ', 'world'), { fileName: null });
      expect(await textOf(KEY, { start: from, end })).toBe(text);
      expect(await store.get(KEY, { start: from, end })).toMatchObject({ size: 11, fileName: null });
    });

    it.each([
      ['a picture', PNG, 'image/png'],
      ['a video', Buffer.from('000000186674797069736f6d0000020069736f6d69736f32', 'hex'), 'video/mp4'],
      ['a PDF', '%PDF-1.7\n', 'application/pdf'],
      ['an HTML page', '<!doctype html><script>alert(1)</script>', 'application/octet-stream'],
      ['an SVG image', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 'application/octet-stream'],
      ['an archive', Buffer.from('504b0304140000000800', 'hex'), 'application/octet-stream'],
      ['a text that begins like a bitmap', 'BMW sells cars', 'application/octet-stream'],
      ['an empty file', '', 'application/octet-stream'],
    ])('derives the content type of %s from its bytes', async (_what, bytes, contentType) => {
      await store.put(
        KEY,
        chunksOf(
          ...Buffer.from(bytes)
            .toString('latin1')
            .split('')
            .map((c) => Buffer.from(c, 'latin1')),
        ),
        {
          fileName: 'x.png',
        },
      );
      expect(await store.get(KEY)).toMatchObject({ contentType });
    });

    it.each([
      ['../../etc/passwd', 'passwd'],
      ['C:\\tmp\\a.txt', 'a.txt'],
      ['a\r\nset-cookie: x\0', 'aset-cookie: x'],
      ['invoice\u202egpj.exe', 'invoicegpj.exe'],
      ['..', null],
      ['\ud800', '\ufffd'],
      [`${'x'.repeat(300)}.png`, `${'x'.repeat(196)}.png`],
      [`${'😀'.repeat(300)}.png`, `${'😀'.repeat(196)}.png`],
      ['한글.mov'.normalize('NFD'), '한글.mov'],
      ['\u0645\u06cc\u200c\u062e 👩‍👧.pdf', '\u0645\u06cc\u200c\u062e 👩‍👧.pdf'],
      ['\u200d\ufeff', null],
    ])('makes the file name %j safe to save under', async (fileName, clean) => {
      await store.put(KEY, chunksOf('x'), { fileName });
      expect(await store.get(KEY)).toMatchObject({ fileName: clean });
    });

    it('finds no file under another key', async () => {
      await store.put(KEY, chunksOf('x'), { fileName: null });
      for (const key of [OTHER, '../../../../etc/passwd', '', '.', KEY.slice(0, -1), `${KEY}.json`, '__proto__']) {
        expect(await store.get(key)).toBeNull();
      }
    });

    it('removes a file with all that belongs to it, and accepts a second removal', async () => {
      await store.put(KEY, chunksOf('x'), { fileName: 'x' });
      await store.remove(KEY);
      await store.remove(KEY);
      expect(await store.get(KEY)).toBeNull();
      expect(await under.kept()).toEqual([]);
    });

    it.each([0, 100, 12 * MB])(
      'keeps nothing of a source that fails after %i bytes, and rejects with its error',
      async (bytes) => {
        const gone = new Error('the client went away');
        const failing = async function* (): ByteStream {
          for (let sent = 0; sent < bytes; sent += 64 * 1024) yield Buffer.alloc(Math.min(bytes, 64 * 1024), 1);
          throw gone;
        };
        await expect(store.put(KEY, failing(), { fileName: 'x' })).rejects.toBe(gone);
        expect(await store.get(KEY)).toBeNull();
        expect(await under.kept()).toEqual([]);
      },
    );

    it('streams 30 MB in and out without holding them in memory', { timeout: 60_000 }, async () => {
      const chunk = (at: number): Buffer => Buffer.alloc(64 * 1024, at % 251);
      const chunks = (30 * MB) / (64 * 1024);
      const before = held();
      let most = 0;
      const source = async function* (): ByteStream {
        for (let at = 0; at < chunks; at++) {
          if (at % 16 === 0) most = Math.max(most, held() - before);
          yield chunk(at);
        }
      };
      expect(await store.put(KEY, source(), { fileName: 'large' })).toEqual({ size: 30 * MB });
      let at = 0;
      for await (const bytes of (await store.get(KEY))?.read() ?? []) {
        if (bytes[0] !== Math.floor(at / (64 * 1024)) % 251) throw new Error(`wrong byte at ${at}`);
        at += bytes.length;
        if (at % MB < bytes.length) most = Math.max(most, held() - before);
      }
      expect(at).toBe(30 * MB);
      // A store that takes parts of 5 MB holds two or three of them. The whole file has 30 MB.
      expect(most).toBeLessThan(24 * MB);
    });

    it('lets a reader stop before the end', async () => {
      await store.put(KEY, chunksOf(Buffer.alloc(3 * MB)), { fileName: null });
      for (let time = 0; time < 20; time++) {
        for await (const _ of (await store.get(KEY))?.read() ?? []) break;
      }
      expect((await store.get(KEY))?.size).toBe(3 * MB);
    });

    it('stores several files at the same time', async () => {
      const keys = Array.from({ length: 10 }, (_, n) => `${KEY}${n}`);
      await Promise.all(keys.map((key) => store.put(key, chunksOf(key, key), { fileName: key })));
      expect(await Promise.all(keys.map((key) => textOf(key)))).toEqual(keys.map((key) => key + key));
    });

    it('rejects with try-again when it does not answer, and reports the error for the log', async () => {
      await store.put(KEY, chunksOf('x'), { fileName: null });
      const file = await store.get(KEY);
      await under.breakDown();
      expect(under.failures).toEqual([]);
      const tryAgain = { name: 'Refusal', code: 'try-again' };
      await expect(store.put(OTHER, chunksOf('x'), { fileName: null })).rejects.toMatchObject(tryAgain);
      await expect(store.get(KEY)).rejects.toMatchObject(tryAgain);
      await expect(store.remove(KEY)).rejects.toMatchObject(tryAgain);
      await expect(buffer(file?.read() ?? chunksOf())).rejects.toMatchObject(tryAgain);
      expect(under.failures).toHaveLength(4);
    });
  });
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes in use after a garbage collection. */
function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
