import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import '../../../src/adapters/kafka/kafkajs/client.ts';

interface DecodedBatch {
  readonly records: readonly { readonly offset: string; readonly key: Buffer | null; readonly value: Buffer | null }[];
}

const require = createRequire(import.meta.url);
const Decoder: new (bytes: Buffer) => unknown = require('kafkajs/src/protocol/decoder');
const decodeBatch: (decoder: unknown) => Promise<DecodedBatch> = require('kafkajs/src/protocol/recordBatch/v0/decoder');

const FIRST_OFFSET = 40;
const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;
/** Two records, `k` with `v` and `k` with `w`, the second one two offsets after the first. */
const RECORDS = Buffer.from([16, 0, 0, 0, 2, 0x6b, 2, 0x76, 0, 16, 0, 0, 4, 2, 0x6b, 2, 0x77, 0]);

function batchOf(codec: number, packed: Buffer): Buffer {
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(FIRST_OFFSET), 0);
  header.writeInt32BE(49 + packed.length, 8);
  header[16] = 2;
  header.writeInt16BE(codec, 21);
  header.writeInt32BE(2, 23);
  header.writeInt32BE(2, 57);
  return Buffer.concat([header, packed]);
}

async function decoded(codec: number, packed: Buffer) {
  const { records } = await decodeBatch(new Decoder(batchOf(codec, packed)));
  return records.map(({ offset, key, value }) => [offset, key?.toString() ?? null, value?.toString() ?? null]);
}

function damaged(packed: Buffer): Buffer {
  const copy = Buffer.from(packed);
  copy.fill(0xff, Math.floor(copy.length / 2));
  return copy;
}

describe('kafkajs with the codecs of this server', () => {
  it.each([
    ['gzip', GZIP, gzipSync(RECORDS)],
    ['zstd', ZSTD, zstdCompressSync(RECORDS)],
  ])('reads a batch in %s', async (_name, codec, packed) => {
    expect(await decoded(codec, packed)).toEqual([
      ['40', 'k', 'v'],
      ['42', 'k', 'w'],
    ]);
  });

  it.each([
    ['gzip', GZIP, damaged(gzipSync(RECORDS))],
    ['zstd', ZSTD, damaged(zstdCompressSync(RECORDS))],
    ['snappy', SNAPPY, Buffer.from('not snappy')],
    ['LZ4', LZ4, Buffer.from('not LZ4')],
    ['gzip that holds no records', GZIP, gzipSync(Buffer.alloc(20, 0xff))],
    ['gzip that holds too few records', GZIP, gzipSync(RECORDS.subarray(0, 9))],
    ['gzip that holds more than 128 MiB', GZIP, gzipSync(Buffer.alloc(129 * 1024 * 1024))],
  ])('replaces the records of a damaged batch by empty ones: %s', async (_name, codec, packed) => {
    expect(await decoded(codec, packed)).toEqual([
      ['40', null, null],
      ['42', null, null],
    ]);
  });
});
