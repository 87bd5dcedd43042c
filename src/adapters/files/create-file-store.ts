import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileStore } from '../../application/ports/file-store.ts';
import { FolderFileStore } from './folder-file-store.ts';
import type { OnFailure } from './names.ts';
import { S3FileStore, type S3FileStoreOptions } from './s3-file-store.ts';

export interface OpenFileStore {
  readonly store: FileStore;
  close(): Promise<void>;
}

/** The options of a bucket that are not in its address. */
export type S3Access = Pick<S3FileStoreOptions, 'endpoint' | 'region' | 'credentials'>;

export type FilesLocation =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };

/**
 * Reads `FILES_URL`: a `file:` URL, a path, or `s3://bucket/prefix`.
 * @throws Error that says what is wrong with the text
 */
export function parseFilesUrl(text: string): FilesLocation {
  if (/^s3:/i.test(text)) {
    const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/-]*))?$/i.exec(text);
    if (match === null) throw new Error(`${JSON.stringify(text)} is not like s3://bucket/prefix`);
    const prefix = (match[2] ?? '').replace(/\/+$/, '');
    return { kind: 's3', bucket: match[1] ?? '', prefix: prefix === '' ? '' : `${prefix}/` };
  }
  if (/^file:/i.test(text)) {
    const path = text.startsWith('file://') ? fileURLToPath(text) : resolve(text.slice('file:'.length));
    return { kind: 'folder', path };
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(text))
    throw new Error(`${JSON.stringify(text)} is neither a folder nor a bucket: use file:, a path or s3:`);
  return { kind: 'folder', path: isAbsolute(text) ? text : resolve(text) };
}

/**
 * Opens the file store. Rejects when its folder can't be created. A bucket is first contacted when
 * it is used.
 */
export async function openFileStore(
  location: FilesLocation,
  s3: S3Access,
  onFailure?: OnFailure,
): Promise<OpenFileStore> {
  if (location.kind === 'folder') {
    const store = new FolderFileStore(location.path, onFailure);
    await store.open();
    return { store, close: async () => {} };
  }
  const store = new S3FileStore({ bucket: location.bucket, prefix: location.prefix, ...s3 }, onFailure);
  return { store, close: () => store.close() };
}
