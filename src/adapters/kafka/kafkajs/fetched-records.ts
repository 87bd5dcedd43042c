import { createRequire } from 'node:module';
import { areBatches, recordBatches } from '../record-batches.ts';

/** The cursor of kafkajs in the bytes of an answer. */
interface Decoder {
  readonly buffer: Buffer;
  readonly offset: number;
  readInt32(): number;
  readBytes(count: number): Buffer;
  canReadBytes(count: number): boolean;
}

interface DecodedBatch {
  readonly records: readonly object[];
}

interface Internals {
  readonly decoderOf: new (bytes: Buffer) => Decoder;
  readonly decodeBatch: (decoder: Decoder) => Promise<DecodedBatch>;
  readonly decodeOldFormat: (decoder: Decoder) => Promise<readonly object[]>;
}

const MESSAGES = 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages';

/**
 * Replaces the function of kafkajs 2.2.4 that decodes the records of a fetch. The original fails
 * for the whole fetch if one batch is damaged, again and again, and it overflows the stack for
 * batches of more than about 100,000 records. It must be replaced before the first fetch.
 */
export function boundFetchedRecords(): void {
  const require = createRequire(import.meta.url);
  const internals: Internals = {
    decoderOf: require('kafkajs/src/protocol/decoder'),
    decodeBatch: require('kafkajs/src/protocol/recordBatch/v0/decoder'),
    decodeOldFormat: require(MESSAGES),
  };
  const loaded = require.cache[require.resolve(MESSAGES)];
  if (loaded !== undefined) loaded.exports = (decoder: Decoder) => decodeRecords(decoder, internals);
}

async function decodeRecords(decoder: Decoder, internals: Internals): Promise<readonly object[]> {
  const { decoderOf, decodeBatch, decodeOldFormat } = internals;
  const start = decoder.offset;
  const size = decoder.readInt32();
  if (size <= 0 || !decoder.canReadBytes(size)) return [];
  const bytes = decoder.readBytes(size);
  if (!areBatches(bytes)) return decodeOldFormat(new decoderOf(decoder.buffer.subarray(start, start + 4 + size)));
  const messages: object[] = [];
  for (const batch of recordBatches(bytes)) {
    if (batch.problem !== null) {
      messages.push({ ...standIn(batch.lastOffset), unreadable: batch.problem });
      continue;
    }
    const { records } = await decodeBatch(new decoderOf(batch.bytes));
    // The consumer hands out no control record, but goes on behind it.
    if (records.length === 0) messages.push({ ...standIn(batch.lastOffset), isControlRecord: true });
    for (const message of records) messages.push(message);
  }
  return messages;
}

/** Stands for all records of a batch, so that the consumer goes on behind its last offset. */
function standIn(lastOffset: bigint): object {
  return {
    key: null,
    value: null,
    headers: {},
    timestamp: '0',
    offset: String(lastOffset),
    isControlRecord: false,
    batchContext: { inTransaction: false },
  };
}
