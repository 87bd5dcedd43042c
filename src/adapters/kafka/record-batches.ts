import { areRecords } from './record-layout.ts';
import { MAX_UNPACKED_BYTES, unpack } from './unpack.ts';

/**
 * One batch of records as a broker stores it, in the format that Kafka has had since version 0.11.
 */
export interface RecordBatch {
  /** The batch without compression. If it has a problem, its header only. */
  readonly bytes: Buffer;
  readonly lastOffset: bigint;
  /** Human-readable reason why the records cannot be read; null if they can. */
  readonly problem: string | null;
}

/** A batch with more records than this is not read. */
const MAX_RECORDS = 100_000;
const LENGTH_AT = 8;
/** The length counts the bytes behind itself. */
const LENGTH_FROM = 12;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const COUNT_AT = 57;
const HEADER_BYTES = 61;
const COMPRESSION = 0x07;

/** True if the records are in the format of `recordBatches`. */
export function areBatches(records: Buffer): boolean {
  return records.length > MAGIC_AT && records.readInt8(MAGIC_AT) === 2;
}

/**
 * The batches in the records of one partition, as a fetch returns them. A batch that is damaged, or
 * that is too large when unpacked, has a problem, and the next one follows. The last batch may be
 * cut off; it is left out. The iteration ends early if the batches together become too large. The
 * next fetch brings the others.
 */
export function* recordBatches(records: Buffer): Generator<RecordBatch> {
  let at = 0;
  let unpackedBytes = 0;
  while (records.length - at >= HEADER_BYTES && unpackedBytes < MAX_UNPACKED_BYTES) {
    const end = at + LENGTH_FROM + records.readInt32BE(at + LENGTH_AT);
    if (end > records.length) return;
    if (end < at + HEADER_BYTES) throw new Error('the header of a batch of records is damaged');
    const batch = open(records.subarray(at, end));
    if (batch.bytes.length > end - at) unpackedBytes += batch.bytes.length;
    yield batch;
    at = end;
  }
}

function open(stored: Buffer): RecordBatch {
  const lastOffset = stored.readBigInt64BE(0) + BigInt(stored.readInt32BE(LAST_DELTA_AT));
  try {
    const bytes = plain(stored);
    if (!areRecords(bytes, HEADER_BYTES, bytes.readInt32BE(COUNT_AT))) {
      throw new Error('a batch of records is damaged');
    }
    return { bytes, lastOffset, problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { bytes: withoutRecords(stored), lastOffset, problem };
  }
}

/** The same batch without its records. */
function withoutRecords(batch: Buffer): Buffer {
  const header = Buffer.from(batch.subarray(0, HEADER_BYTES));
  header.writeInt32BE(HEADER_BYTES - LENGTH_FROM, LENGTH_AT);
  header.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) & ~COMPRESSION, ATTRIBUTES_AT);
  header.writeInt32BE(0, COUNT_AT);
  return header;
}

function plain(stored: Buffer): Buffer {
  const count = stored.readInt32BE(COUNT_AT);
  if (count < 0 || count > MAX_RECORDS) throw new Error(`a batch has ${count} records; the limit is ${MAX_RECORDS}`);
  const attributes = stored.readInt16BE(ATTRIBUTES_AT);
  const codec = attributes & COMPRESSION;
  if (codec === 0) return stored;
  // A log that Kafka compacts keeps the header of an emptied batch.
  if (stored.length === HEADER_BYTES) return withoutRecords(stored);
  const bytes = Buffer.concat([stored.subarray(0, HEADER_BYTES), unpack(codec, stored.subarray(HEADER_BYTES))]);
  bytes.writeInt32BE(bytes.length - LENGTH_FROM, LENGTH_AT);
  bytes.writeInt16BE(attributes & ~COMPRESSION, ATTRIBUTES_AT);
  return bytes;
}
