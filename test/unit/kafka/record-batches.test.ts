import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms, createRecordsBatch, Reader, ResponseError, Writer } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundFetchedRecords } from '../../../src/adapters/kafka/kafkajs/fetched-records.ts';
import { parseFetch, problemOf } from '../../../src/adapters/kafka/platformatic/fetch-response.ts';
import { recordBatches } from '../../../src/adapters/kafka/record-batches.ts';
import { MAX_UNPACKED_BYTES, unpack } from '../../../src/adapters/kafka/unpack.ts';

const require = createRequire(import.meta.url);
boundFetchedRecords();
const Decoder = require('kafkajs/src/protocol/decoder');
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');

const ALGORITHMS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

interface Read {
  readonly offset: string;
  readonly value: string | null;
  readonly problem: string | null;
}

/** A stored batch whose first offset is `first`. */
function batch(first: number, values: readonly string[], compression: Algorithm = 'none'): Buffer {
  const messages = values.map((value) => ({
    topic: 't',
    partition: 0,
    key: Buffer.from('r-5'),
    value: Buffer.from(value),
    headers: new Map([[Buffer.from('seq'), Buffer.from('1')]]),
  }));
  const bytes = Buffer.from(createRecordsBatch(messages, { compression }).buffer);
  bytes.writeBigInt64BE(BigInt(first), 0);
  return bytes;
}

/** A stored batch with these bytes as its compressed records. */
function packed(first: number, count: number, codec: number, records: Buffer): Buffer {
  const bytes = Buffer.concat([batch(first, ['x']).subarray(0, 61), records]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt16BE(codec, 21);
  bytes.writeInt32BE(count - 1, 23);
  bytes.writeInt32BE(count, 57);
  return bytes;
}

async function throughKafkajs(records: Buffer): Promise<Read[]> {
  const size = Buffer.alloc(4);
  size.writeInt32BE(records.length);
  const messages: { offset: string; value: Buffer | null; unreadable?: string }[] = await decodeMessages(
    new Decoder(Buffer.concat([size, records])),
  );
  return messages.map(({ offset, value, unreadable = null }) => ({
    offset,
    value: value?.toString() ?? null,
    problem: unreadable,
  }));
}

/** The response of one partition, as a broker writes it in a version of the protocol. */
function response(version: number, records: Buffer, errorCode = 0): Reader {
  const isFlexible = version >= 12;
  const writer = Writer.create().appendInt32(0);
  if (version >= 7) writer.appendInt16(0).appendInt32(7);
  const partition = (w: Writer): Writer => {
    w.appendInt32(3).appendInt16(errorCode).appendInt64(100n).appendInt64(100n);
    if (version >= 5) w.appendInt64(2n);
    w.appendArray([], () => {}, isFlexible, isFlexible);
    if (version >= 11) w.appendInt32(-1);
    return w.appendBytes(records, isFlexible);
  };
  writer.appendArray(
    [0],
    (w) => {
      if (version >= 13) w.appendUUID('12345678-1234-1234-1234-123456789abc');
      else w.appendString('t', isFlexible);
      w.appendArray([0], partition, isFlexible, isFlexible);
    },
    isFlexible,
    isFlexible,
  );
  if (isFlexible) writer.appendTaggedFields();
  return Reader.from(writer);
}

function throughPlatformatic(records: Buffer, version = 17): Read[] {
  const [topic] = parseFetch(1, 1, version, response(version, records)).responses;
  return (topic?.partitions[0]?.records ?? []).flatMap((found): Read[] => {
    const problem = problemOf(found);
    if (problem !== null) {
      return [{ offset: String(found.firstOffset + BigInt(found.lastOffsetDelta)), value: null, problem }];
    }
    return found.records.map(({ offsetDelta, value }) => ({
      offset: String(found.firstOffset + BigInt(offsetDelta)),
      value: value?.toString() ?? null,
      problem,
    }));
  });
}

const DRIVERS: readonly [string, (records: Buffer) => Promise<Read[]>][] = [
  ['kafkajs', throughKafkajs],
  ['platformatic', async (records) => throughPlatformatic(records)],
];

const TOO_LARGE = `compressed records hold more than ${MAX_UNPACKED_BYTES} bytes`;
const zeros = Buffer.alloc(MAX_UNPACKED_BYTES + 1);
const bombs: readonly [string, number, Buffer][] = [
  ['gzip', 1, gzipSync(zeros)],
  ['snappy', 2, Buffer.from(compressionsAlgorithms.snappy.compressSync(zeros))],
  ['LZ4', 3, Buffer.from(compressionsAlgorithms.lz4.compressSync(zeros))],
  ['zstd', 4, zstdCompressSync(zeros)],
  ['snappy that claims 4 GB', 2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
];

describe.each(DRIVERS)('the records of a fetch through %s', (_, read) => {
  it.each(ALGORITHMS)('are read if they are written with %s', async (compression) => {
    const records = Buffer.concat([batch(7, ['a', 'b'.repeat(500)], compression), batch(9, ['c'])]);
    expect(await read(records)).toEqual([
      { offset: '7', value: 'a', problem: null },
      { offset: '8', value: 'b'.repeat(500), problem: null },
      { offset: '9', value: 'c', problem: null },
    ]);
  });

  it.each(bombs)('leave out a batch of %s that becomes too large, and go on behind it', async (_, codec, records) => {
    const all = Buffer.concat([packed(10, 5, codec, records), batch(15, ['next'])]);
    expect(await read(all)).toEqual([
      { offset: '14', value: null, problem: TOO_LARGE },
      { offset: '15', value: 'next', problem: null },
    ]);
  });

  it.each([1, 2, 3, 4, 7])('leave out a damaged batch of compression %i', async (codec) => {
    const all = Buffer.concat([packed(10, 5, codec, Buffer.from('no such thing')), batch(15, ['next'])]);
    const [damaged, ...others] = await read(all);
    expect(damaged).toMatchObject({ offset: '14', value: null });
    expect(damaged?.problem).toMatch(/./);
    expect(others).toEqual([{ offset: '15', value: 'next', problem: null }]);
  });

  it('leave out a batch that claims more records or headers than it has, and one with too many', async () => {
    const endless = packed(0, 1, 0, Buffer.from([16, 0, 0, 0, 1, 1, 0xfe, 0xff, 0x03]));
    expect(await read(endless)).toMatchObject([{ offset: '0', problem: 'a batch of records is damaged' }]);
    const claims = packed(0, 50, 0, batch(0, ['a']).subarray(61));
    const many = packed(50, 100_001, 1, gzipSync(Buffer.alloc(700_007)));
    expect(await read(Buffer.concat([claims, many, batch(100_051, ['next'])]))).toEqual([
      { offset: '49', value: null, problem: 'a batch of records is damaged' },
      { offset: '100050', value: null, problem: 'a batch has 100001 records; the limit is 100000' },
      { offset: '100051', value: 'next', problem: null },
    ]);
  });

  it('leave out a batch that claims fewer records than it has', async () => {
    for (const compression of ALGORITHMS) {
      const claims = batch(10, ['a', 'b'], compression);
      for (const count of [0, 1]) {
        claims.writeInt32BE(count, 57);
        expect(await read(Buffer.concat([claims, batch(12, ['next'])]))).toEqual([
          { offset: '11', value: null, problem: 'a batch of records is damaged' },
          { offset: '12', value: 'next', problem: null },
        ]);
      }
    }
  });

  it('keep every batch around one with any damage behind its header', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...ALGORITHMS),
        fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 10 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (compression, values, damages) => {
          const harmed = batch(10, values, compression);
          for (const [at, byte] of damages) harmed[57 + (at % (harmed.length - 57))] = byte;
          const last = 10 + values.length;
          const found = await read(Buffer.concat([batch(9, ['before']), harmed, batch(last, ['behind'])]));
          expect(found[0]).toEqual({ offset: '9', value: 'before', problem: null });
          expect(found.at(-1)).toEqual({ offset: String(last), value: 'behind', problem: null });
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('lets the consumer of kafkajs go on behind a batch that was emptied', async () => {
  const emptied = packed(10, 5, 3, Buffer.alloc(0));
  emptied.writeInt32BE(0, 57);
  const size = Buffer.alloc(4);
  size.writeInt32BE(emptied.length);
  const messages = await decodeMessages(new Decoder(Buffer.concat([size, emptied])));
  expect(messages).toMatchObject([{ offset: '14', isControlRecord: true }]);
});

it('ends a fetch whose batches together become too large, so that the next fetch brings the others', () => {
  const half = 'a'.repeat(MAX_UNPACKED_BYTES / 2);
  const records = Buffer.concat([0, 1, 2, 3].map((offset) => batch(offset, [half], 'gzip')));
  expect([...recordBatches(records)].map(({ lastOffset }) => Number(lastOffset))).toEqual([0, 1]);
});

it('leaves out a batch that the broker cut off', () => {
  const records = Buffer.concat([batch(0, ['a']), batch(1, ['b']).subarray(0, -1)]);
  expect([...recordBatches(records)]).toHaveLength(1);
});

it('decodes a response to a fetch in every version of the protocol that it knows', () => {
  for (let version = 4; version <= 17; version += 1) {
    expect(throughPlatformatic(batch(7, ['a'], 'zstd'), version)).toEqual([{ offset: '7', value: 'a', problem: null }]);
    expect(() => parseFetch(1, 1, version, response(version, Buffer.alloc(0), 1))).toThrow(ResponseError);
  }
});

it('unpacks any bytes to at most the limit or fails with an error', () => {
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    // Frames with a good beginning.
    fc.uint8Array({ maxLength: 400 }).map((bytes) => [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, ...bytes]),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => [0x80, 0x20, ...bytes]),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => [0x28, 0xb5, 0x2f, 0xfd, ...bytes]),
  );
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3, 4), any, (codec, bytes) => {
      try {
        expect(unpack(codec, Buffer.from(bytes)).length).toBeLessThanOrEqual(MAX_UNPACKED_BYTES);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 2_000 },
  );
});
