import { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../../../dev/fault-proxy.ts';
import { S3FileStore } from '../../../src/adapters/files/s3-file-store.ts';
import { fileStoreContract } from '../../contracts/file-store.ts';
import { S3Stub } from '../../support/s3-stub.ts';

function storeAt(endpoint: string, onFailure?: (error: unknown) => void, answerMs?: number): S3FileStore {
  return new S3FileStore(
    {
      ...(answerMs === undefined ? {} : { answerMs }),
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

const KEY = 'key_12345678';
const RIGHTS = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'];
const LARGE = Buffer.alloc(6 * 1024 * 1024, 'x');

async function* failing(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
  throw new Error('the client went away');
}

it('needs no other rights than those of the documentation', async () => {
  const stub = await S3Stub.start({ allowed: RIGHTS });
  const failures: unknown[] = [];
  const store = storeAt(stub.url, (error) => failures.push(error));
  onTestFinished(async () => {
    await store.close();
    await stub.stop();
  });
  await store.put(KEY, Readable.from([LARGE]), { fileName: 'x' });
  expect(await store.get(KEY)).toMatchObject({ size: LARGE.length });
  await store.remove(KEY);
  await expect(store.put(KEY, failing(LARGE), { fileName: null })).rejects.toThrow('the client went away');
  expect([stub.keys, stub.openUploads, failures]).toEqual([[], 0, []]);
});

it.each<[string, (store: S3FileStore) => Promise<unknown>]>([
  ['s3:GetObject', (store) => store.get(KEY)],
  ['s3:PutObject', (store) => store.put(KEY, Readable.from([Buffer.from('x')]), { fileName: null })],
  ['s3:DeleteObject', (store) => store.remove(KEY)],
])('reports that the right %s is missing', async (right, use) => {
  const stub = await S3Stub.start({ allowed: RIGHTS.filter((one) => one !== right) });
  const failures: unknown[] = [];
  const store = storeAt(stub.url, (error) => failures.push(error));
  onTestFinished(async () => {
    await store.close();
    await stub.stop();
  });
  await expect(use(store)).rejects.toThrow('the file store does not answer');
  expect(String(failures)).toMatch(new RegExp(`^AccessDenied: the store refuses ${right} \\(.*AWS_ACCESS_KEY_ID`));
});

it.each(['hang', 'refuse', 'reset'] as const)(
  'refuses in time when the endpoint is in mode %s, and works again afterwards',
  async (mode) => {
    const stub = await S3Stub.start();
    const proxy = await FaultProxy.start({ target: Number(new URL(stub.url).port), mode });
    const store = storeAt(`http://127.0.0.1:${proxy.port}`, () => {}, 300);
    onTestFinished(async () => {
      await store.close();
      await proxy.stop();
      await stub.stop();
    });
    const put = () => store.put(KEY, Readable.from([Buffer.from('x')]), { fileName: null });
    for (const use of [put, () => store.get(KEY), () => store.remove(KEY)]) {
      await expect(use()).rejects.toMatchObject({ code: 'try-again' });
    }
    await proxy.setMode('pass');
    expect(await put()).toEqual({ size: 1 });
  },
);

it('ends a read when the endpoint stops sending, but not because the reader is slow', async () => {
  const stub = await S3Stub.start();
  const proxy = await FaultProxy.start({ target: Number(new URL(stub.url).port) });
  const failures: unknown[] = [];
  const store = storeAt(`http://127.0.0.1:${proxy.port}`, (error) => failures.push(error), 500);
  onTestFinished(async () => {
    await store.close();
    await proxy.stop();
    await stub.stop();
  });
  await store.put(KEY, Readable.from([LARGE]), { fileName: null });
  const slow = (await store.get(KEY))?.read()[Symbol.asyncIterator]();
  await slow?.next();
  const stalled = (await store.get(KEY))?.read()[Symbol.asyncIterator]();
  await stalled?.next();
  await proxy.setMode('mute');
  await expect(drained(stalled)).rejects.toMatchObject({ code: 'try-again' });
  expect(String(failures)).toBe('Error: the store sent no bytes of the file for 0.5 s');
  await proxy.setMode('pass');
  expect(await drained(slow)).toBeGreaterThan(LARGE.length / 2);
});

async function drained(bytes: AsyncIterator<Uint8Array> | undefined): Promise<number> {
  let size = 0;
  for (;;) {
    const next = await bytes?.next();
    if (next === undefined || next.done === true) return size;
    size += next.value.length;
  }
}
