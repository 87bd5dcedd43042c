import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** The bytes compressed by gzip; null where that saves nothing. */
  readonly gzip: Buffer | null;
  readonly etag: string;
  /** true: the name has a hash of the content, so a browser need not ask again. */
  readonly isImmutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const HASHED = /-[\w-]{8}\.(js|css)$/;
/** Smaller files take one packet either way. */
const MIN_GZIP_BYTES = 1_000;

/**
 * Reads the files of the bundled page, by their names. They are few and small, so they stay in
 * memory. Files of other types are left out. An empty map: the page was not built.
 */
export function readPageFiles(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of namesIn(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(folder, name));
    const gzip = bytes.length < MIN_GZIP_BYTES ? null : gzipSync(bytes, { level: 9 });
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files.set(name, { type, bytes, gzip, etag, isImmutable: HASHED.test(name) });
  }
  return files;
}

/** The time at which the page was built; null: it was not. */
export function builtAt(folder: string): number | null {
  return statSync(join(folder, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
