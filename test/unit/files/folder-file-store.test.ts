import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parseFilesUrl } from '../../../src/adapters/files/create-file-store.ts';
import { FolderFileStore } from '../../../src/adapters/files/folder-file-store.ts';
import { fileStoreContract } from '../../contracts/file-store.ts';

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

fileStoreContract('folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'chat-test-files-'));
  const failures: unknown[] = [];
  const store = new FolderFileStore(root, (error) => failures.push(error));
  await store.open();
  return {
    store,
    failures,
    kept: () => filesIn(root),
    async breakDown() {
      await rm(root, { recursive: true });
      await writeFile(root, 'no folder any more');
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
});

it('removes the incomplete files of a server that died a day ago', async () => {
  const root = await mkdtemp(join(tmpdir(), 'chat-test-files-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'parts'));
  await writeFile(join(root, 'parts', 'old'), 'x');
  await writeFile(join(root, 'parts', 'under-way'), 'x');
  await utimes(join(root, 'parts', 'old'), new Date(0), new Date(0));
  await new FolderFileStore(root).open();
  expect(await filesIn(root)).toEqual(['under-way']);
});

it.each([
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
  ['s3://my.bucket/chat/files/', { kind: 's3', bucket: 'my.bucket', prefix: 'chat/files/' }],
  ['file:///srv/files', { kind: 'folder', path: '/srv/files' }],
  ['/srv/files', { kind: 'folder', path: '/srv/files' }],
  ['file:files', { kind: 'folder', path: join(process.cwd(), 'files') }],
])('reads the address %s of a file store', (text, location) => {
  expect(parseFilesUrl(text)).toEqual(location);
});

it.each(['s3://', 's3://b', 's3:/bucket', 'http://bucket/x', 'file://host/x'])(
  'refuses the address %s of a file store',
  (text) => {
    expect(() => parseFilesUrl(text)).toThrow();
  },
);
