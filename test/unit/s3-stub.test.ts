import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { S3Stub } from '../support/s3-stub.ts';

let stub: S3Stub;
let client: S3Client;

beforeAll(async () => {
  stub = await S3Stub.start();
  client = new S3Client({
    endpoint: stub.url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(async () => {
  client.destroy();
  await stub.stop();
});

it('returns a stored object unchanged, whole and in ranges', async () => {
  const object = { Bucket: 'files', Key: 'a/grüße & more.txt' };
  await client.send(
    new PutObjectCommand({ ...object, Body: '0123456789', ContentType: 'text/plain', Metadata: { owner: '7' } }),
  );
  expect(stub.keys).toContain('files/a/grüße & more.txt');
  const whole = await client.send(new GetObjectCommand(object));
  expect(await whole.Body?.transformToString()).toBe('0123456789');
  expect(whole).toMatchObject({ ContentType: 'text/plain', Metadata: { owner: '7' }, ContentLength: 10 });
  const ranges = [
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
  ];
  for (const [Range, body, ContentRange] of ranges) {
    const part = await client.send(new GetObjectCommand({ ...object, Range }));
    expect([await part.Body?.transformToString(), part.ContentRange]).toEqual([body, ContentRange]);
  }
  await expect(client.send(new GetObjectCommand({ ...object, Range: 'bytes=10-' }))).rejects.toMatchObject({
    name: 'InvalidRange',
  });
  await client.send(new DeleteObjectCommand(object));
  await expect(client.send(new HeadObjectCommand(object))).rejects.toMatchObject({ name: 'NotFound' });
  await expect(client.send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'NoSuchKey' });
});

it.each([100, 12 * 1024 * 1024])('accepts a stream of %d bytes of unknown length in parts', async (size) => {
  const content = randomBytes(size);
  const pieces = (function* cut() {
    for (let at = 0; at < size; at += 50_000) yield content.subarray(at, at + 50_000);
  })();
  const params = { Bucket: 'files', Key: `stream-${size}`, Body: Readable.from(pieces), ContentType: 'image/png' };
  await new Upload({ client, params }).done();
  expect((await stub.body(`files/stream-${size}`)).equals(content)).toBe(true);
  const head = await client.send(new HeadObjectCommand({ Bucket: 'files', Key: `stream-${size}` }));
  expect(head).toMatchObject({ ContentLength: size, ContentType: 'image/png' });
  expect(stub.openUploads).toBe(0);
});

it('accepts a stream of known length with a trailing checksum', async () => {
  const content = randomBytes(300_000);
  const Body = Readable.from([content.subarray(0, 1000), content.subarray(1000)]);
  await client.send(new PutObjectCommand({ Bucket: 'files', Key: 'known', Body, ContentLength: content.length }));
  expect((await stub.body('files/known')).equals(content)).toBe(true);
});

it('keeps nothing of an upload whose source breaks', async () => {
  const broken = Readable.from(
    (async function* cut() {
      yield randomBytes(6 * 1024 * 1024);
      throw new Error('the source broke');
    })(),
  );
  const params = { Bucket: 'files', Key: 'broken', Body: broken };
  await expect(new Upload({ client, params }).done()).rejects.toThrow('the source broke');
  expect(stub.keys).not.toContain('files/broken');
  expect(stub.openUploads).toBe(0);
});

it('fails as often as a test configures, and not more', async () => {
  stub.failNext(1);
  const create = () => client.send(new CreateMultipartUploadCommand({ Bucket: 'files', Key: 'later' }));
  await expect(create()).rejects.toMatchObject({ name: 'SlowDown' });
  expect((await create()).UploadId).toBeTruthy();
});
