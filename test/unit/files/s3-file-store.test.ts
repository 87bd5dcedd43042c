import { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { S3FileStore } from '../../../src/adapters/files/s3-file-store.ts';
import { fileStoreContract } from '../../contracts/file-store.ts';
import { S3Stub } from '../../support/s3-stub.ts';

function storeAt(endpoint: string, onFailure?: (error: unknown) => void): S3FileStore {
  return new S3FileStore(
    {
      bucket: 'bucket',
      prefix: 'chat/',
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    onFailure,
  );
}

fileStoreContract('S3', async () => {
  const stub = await S3Stub.start();
  const failures: unknown[] = [];
  const store = storeAt(stub.url, (error) => failures.push(error));
  let running = true;
  const stop = async (): Promise<void> => {
    if (running) await stub.stop();
    running = false;
  };
  return {
    store,
    failures,
    kept: async () => [...stub.keys, ...Array.from({ length: stub.openUploads }, () => 'an open upload')],
    breakDown: stop,
    async close() {
      await store.close();
      await stop();
    },
  };
});

it('stores files in the bucket under the prefix, and retries after a failed answer', async () => {
  const stub = await S3Stub.start();
  const store = storeAt(stub.url);
  onTestFinished(async () => {
    await store.close();
    await stub.stop();
  });
  stub.failNext(1);
  await store.put('key_12345678', Readable.from([Buffer.from('x')]), { fileName: null });
  expect(stub.keys).toEqual(['bucket/chat/key_12345678']);
});

it('reads the name of a file that an earlier version stored', async () => {
  const stub = await S3Stub.start();
  const store = storeAt(stub.url);
  onTestFinished(async () => {
    await store.close();
    await stub.stop();
  });
  const headers = { 'x-amz-meta-filename': encodeURIComponent('a b한.txt') };
  await fetch(`${stub.url}/bucket/chat/key_12345678`, { method: 'PUT', headers, body: 'x' });
  expect(await store.get('key_12345678')).toMatchObject({ fileName: 'a b한.txt' });
});
