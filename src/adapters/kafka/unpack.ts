import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';

/** Largest size of an unpacked batch of records, in bytes. Kafka accepts 1 MB packed by default. */
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

/** Larger windows are for more bytes than may be unpacked. zstd would allocate 128 MB for them. */
const ZSTD_LIMITS = {
  maxOutputLength: MAX_UNPACKED_BYTES,
  params: { [constants.ZSTD_d_windowLogMax]: Math.log2(MAX_UNPACKED_BYTES) },
};

/**
 * Unpacks the records of a batch. `codec` is the number of the compression in the protocol of
 * Kafka.
 * @throws Error if the bytes are damaged, or hold more than MAX_UNPACKED_BYTES
 */
export function unpack(codec: number, packed: Buffer): Buffer {
  try {
    switch (codec) {
      case 1:
        return gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
      case 2:
        return unpackSnappy(packed);
      case 3:
        return unpackLz4(packed);
      case 4:
        return zstdDecompressSync(packed, ZSTD_LIMITS);
    }
  } catch (error) {
    if (error instanceof RangeError) throw isTooLarge(error) ? tooLarge() : damaged();
    throw error;
  }
  throw new Error(`the compression ${codec} is unknown`);
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

function tooLarge(): Error {
  return new Error(`compressed records hold more than ${MAX_UNPACKED_BYTES} bytes`);
}

function damaged(): Error {
  return new Error('compressed records are damaged');
}

/** Bytes that are appended one after the other, and repeated from what is already there. */
class Output {
  #bytes: Buffer;
  #length = 0;

  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(Math.max(expected, 1_024), MAX_UNPACKED_BYTES));
  }

  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Repeats `count` bytes from `distance` bytes before the end. They may overlap the end. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.#length) throw damaged();
    this.#reserve(count);
    const from = this.#length - distance;
    if (distance >= count) this.#bytes.copyWithin(this.#length, from, from + count);
    else
      for (let index = 0; index < count; index += 1) this.#bytes[this.#length + index] = this.#bytes[from + index] ?? 0;
    this.#length += count;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_UNPACKED_BYTES) throw tooLarge();
    const larger = Buffer.allocUnsafe(Math.min(Math.max(needed, this.#bytes.length * 2), MAX_UNPACKED_BYTES));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = 16;

/**
 * Unpacks snappy: plain, or in the blocks of the Java library, which most clients of Kafka write.
 */
export function unpackSnappy(packed: Buffer): Buffer {
  const output = new Output(packed.length * 4);
  if (!packed.subarray(0, XERIAL.length).equals(XERIAL)) {
    snappyBlock(packed, output);
    return output.bytes();
  }
  for (let at = XERIAL_HEADER; at < packed.length; ) {
    const length = packed.readUInt32BE(at);
    snappyBlock(slice(packed, at + 4, length), output);
    at += 4 + length;
  }
  return output.bytes();
}

function snappyBlock(packed: Buffer, output: Output): void {
  let at = 0;
  // The length of the unpacked block, seven bits a byte.
  let claimed = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = packed.readUInt8(at);
    at += 1;
    claimed += (byte & 0x7f) * 2 ** shift;
    if (claimed > MAX_UNPACKED_BYTES) throw tooLarge();
    if (byte < 0x80) break;
    if (shift > 28) throw damaged();
  }
  while (at < packed.length) {
    const tag = packed.readUInt8(at);
    at += 1;
    switch (tag & 3) {
      case 0: {
        let length = tag >> 2;
        if (length >= 60) {
          const size = length - 59;
          length = packed.readUIntLE(at, size);
          at += size;
        }
        output.append(slice(packed, at, length + 1));
        at += length + 1;
        break;
      }
      case 1:
        output.repeat(((tag >> 5) << 8) | packed.readUInt8(at), ((tag >> 2) & 7) + 4);
        at += 1;
        break;
      case 2:
        output.repeat(packed.readUInt16LE(at), (tag >> 2) + 1);
        at += 2;
        break;
      default:
        output.repeat(packed.readUInt32LE(at), (tag >> 2) + 1);
        at += 4;
    }
  }
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_IS_PLAIN = 0x8000_0000;

/** Unpacks a frame of LZ4. Its checksums are not compared, since Kafka has one for each batch. */
export function unpackLz4(packed: Buffer): Buffer {
  if (packed.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('compressed records are not a frame of LZ4');
  const flags = packed.readUInt8(4);
  const hasBlockChecksum = (flags & 0x10) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  if (hasContentSize && packed.readBigUInt64LE(6) > MAX_UNPACKED_BYTES) throw tooLarge();
  let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  const output = new Output(packed.length * 4);
  for (;;) {
    const size = packed.readUInt32LE(at);
    at += 4;
    if (size === 0) return output.bytes();
    const length = size >= LZ4_IS_PLAIN ? size - LZ4_IS_PLAIN : size;
    const block = slice(packed, at, length);
    if (size >= LZ4_IS_PLAIN) output.append(block);
    else lz4Block(block, output);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
}

function lz4Block(packed: Buffer, output: Output): void {
  let at = 0;
  const length = (first: number): number => {
    let total = first;
    if (first < 15) return total;
    for (;;) {
      const more = packed.readUInt8(at);
      at += 1;
      total += more;
      if (more < 255) return total;
    }
  };
  while (at < packed.length) {
    const token = packed.readUInt8(at);
    at += 1;
    const literals = length(token >> 4);
    output.append(slice(packed, at, literals));
    at += literals;
    // The last sequence has literals only.
    if (at >= packed.length) return;
    const distance = packed.readUInt16LE(at);
    at += 2;
    output.repeat(distance, length(token & 15) + 4);
  }
}

function slice(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw damaged();
  return bytes.subarray(at, at + length);
}
