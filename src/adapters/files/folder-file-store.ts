import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteStream, FileStore, StoredFile } from '../../application/ports/file-store.ts';
import { cleanFileName, OPAQUE_TYPE } from '../../domain/file.ts';
import { checkKey, isKey, type OnFailure, SourceErrors, storeFailure } from './names.ts';
import { sniffStream } from './sniff.ts';

interface Meta {
  readonly contentType: string;
  readonly fileName: string | null;
}

/** A part that is older was left by a server that died. */
const MAX_PART_AGE_MS = 24 * 3_600_000;

/**
 * Files in a folder: `ab/abcdef` (the bytes) beside `ab/abcdef.json` (type and name).
 *
 * A file is written in `parts/`, flushed to the disk and then moved to its place, so that every
 * file that can be found is complete. Several servers may share the folder.
 */
export class FolderFileStore implements FileStore {
  readonly #root: string;
  readonly #onFailure: OnFailure;

  constructor(root: string, onFailure: OnFailure = () => {}) {
    this.#root = root;
    this.#onFailure = onFailure;
  }

  /** Creates the folder. Removes the incomplete files of servers that died a day ago or earlier. */
  async open(): Promise<void> {
    const parts = join(this.#root, 'parts');
    await mkdir(parts, { recursive: true });
    for (const name of await readdir(parts)) {
      const path = join(parts, name);
      const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
      if (age > MAX_PART_AGE_MS) await rm(path, { force: true });
    }
  }

  async put(key: string, bytes: ByteStream, meta: { readonly fileName: string | null }): Promise<{ size: number }> {
    const path = this.#path(key);
    const part = join(this.#root, 'parts', key);
    const source = new SourceErrors();
    try {
      const { contentType, bytes: all } = await sniffStream(source.watch(bytes));
      await mkdir(join(path, '..'), { recursive: true });
      const size = await writeTo(part, all);
      await writeTo(`${part}.json`, bytesOf(JSON.stringify({ contentType, fileName: cleanFileName(meta.fileName) })));
      await rename(`${part}.json`, `${path}.json`);
      await rename(part, path);
      await flushFolder(join(path, '..'));
      return { size };
    } catch (error) {
      const gone = [part, `${part}.json`, path, `${path}.json`].map((left) => rm(left, { force: true }));
      await Promise.allSettled(gone);
      throw source.reason(this.#onFailure, error);
    }
  }

  async get(key: string, range?: { readonly start: number; readonly end: number }): Promise<StoredFile | null> {
    if (!isKey(key)) return null;
    const path = this.#path(key);
    try {
      const [{ size }, { contentType, fileName }] = await Promise.all([stat(path), metaOf(`${path}.json`)]);
      return { size, contentType, fileName, read: () => readBytes(path, range, this.#onFailure) };
    } catch (error) {
      if (isMissing(error)) return null;
      throw storeFailure(this.#onFailure, error);
    }
  }

  async remove(key: string): Promise<void> {
    if (!isKey(key)) return;
    const path = this.#path(key);
    try {
      await rm(path, { force: true });
      await rm(`${path}.json`, { force: true });
    } catch (error) {
      throw storeFailure(this.#onFailure, error);
    }
  }

  #path(key: string): string {
    return join(this.#root, checkKey(key).slice(0, 2), key);
  }
}

async function writeTo(path: string, bytes: ByteStream): Promise<number> {
  let size = 0;
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx');
    for await (const chunk of bytes) {
      await file.writeFile(chunk);
      size += chunk.length;
    }
    await file.datasync();
  } finally {
    await file?.close();
  }
  return size;
}

async function* bytesOf(text: string): ByteStream {
  yield Buffer.from(text);
}

/** Flushes a folder: a move is durable only after that. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function metaOf(path: string): Promise<Meta> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '{}';
    throw error;
  });
  const meta: Partial<Meta> = JSON.parse(text);
  return { contentType: meta.contentType ?? OPAQUE_TYPE, fileName: meta.fileName ?? null };
}

async function* readBytes(
  path: string,
  range: { readonly start: number; readonly end: number } | undefined,
  onFailure: OnFailure,
): ByteStream {
  try {
    yield* createReadStream(path, { ...range, highWaterMark: 128 * 1024 }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw storeFailure(onFailure, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
