/** Size of the header of a batch of records, from its first offset to the number of records. */
const HEADER_BYTES = 61;
const MAGIC_AT = 16;
/** The format of batches since Kafka 0.11. */
const MAGIC = 2;
const LAST_OFFSET_DELTA_AT = 23;
const COUNT_AT = 57;
/** A batch of records has no more than the broker accepts in one request. */
const MAX_RECORDS = 1_000_000;

/**
 * Unpacks the records of a batch. Records that cannot be unpacked are replaced by as many empty
 * ones, so that the consumer gets past the batch, and the reader of the records reports them.
 * Otherwise the fetch would fail at each attempt, and its partition would stand still for ever.
 *
 * `packed` must be a view into the batch, as kafkajs passes it: the header of the batch is before
 * it.
 */
export async function unpackOrReplace(packed: Buffer, unpack: (packed: Buffer) => Promise<Buffer>): Promise<Buffer> {
  const batch = headerBefore(packed);
  try {
    const unpacked = await unpack(packed);
    if (batch !== null) checkRecords(unpacked, batch.count);
    return unpacked;
  } catch (error) {
    if (batch === null) throw error;
    return emptyRecords(batch.count, batch.lastOffsetDelta);
  }
}

interface BatchHeader {
  readonly count: number;
  readonly lastOffsetDelta: number;
}

function headerBefore(packed: Buffer): BatchHeader | null {
  if (packed.byteOffset < HEADER_BYTES) return null;
  const header = Buffer.from(packed.buffer, packed.byteOffset - HEADER_BYTES, HEADER_BYTES);
  if (header[MAGIC_AT] !== MAGIC) return null;
  const count = header.readInt32BE(COUNT_AT);
  const lastOffsetDelta = header.readInt32BE(LAST_OFFSET_DELTA_AT);
  return count > 0 && count <= MAX_RECORDS && lastOffsetDelta >= count - 1 ? { count, lastOffsetDelta } : null;
}

/**
 * @throws Error if `unpacked` is not a sequence of `count` records with their lengths before them
 */
function checkRecords(unpacked: Buffer, count: number): void {
  let at = 0;
  for (let record = 0; record < count; record += 1) {
    let length = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = unpacked[at] ?? 0;
      length += (byte & 0x7f) * scale;
      scale *= 0x80;
      at += 1;
    } while (byte >= 0x80 && at < unpacked.length);
    // The lowest bit is the sign.
    at += length / 2;
    if (length % 2 !== 0 || length === 0 || at > unpacked.length) throw new Error('compressed records are damaged');
  }
}

/** Records without key, value and headers. */
function emptyRecords(count: number, lastOffsetDelta: number): Buffer {
  const records: Buffer[] = [];
  for (let record = 0; record < count; record += 1) {
    const offsetDelta = varint(record === count - 1 ? lastOffsetDelta : record);
    // Attributes, delta of the time, delta of the offset; -1 for no key and no value; no headers.
    const body = Buffer.concat([Buffer.from([0, 0]), offsetDelta, Buffer.from([1, 1, 0])]);
    records.push(varint(body.length), body);
  }
  return Buffer.concat(records);
}

/** A number that is not negative, as a zigzag varint. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
