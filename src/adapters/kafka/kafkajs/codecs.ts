import { promisify } from 'node:util';
import { gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { unpackOrReplace } from './damaged-batch.ts';
import { MAX_UNPACKED_BYTES, unpackLz4, unpackSnappy } from './unpack.ts';

const packGzip = promisify(gzip);
const unpackGzip = promisify(gunzip);
const packZstd = promisify(zstdCompress);
const unpackZstd = promisify(zstdDecompress);
const LIMIT = { maxOutputLength: MAX_UNPACKED_BYTES };

/**
 * Adds to kafkajs, which has gzip only: zstd, and reading snappy and LZ4. No batch of records is
 * unpacked without a limit, and a damaged one does not stop its partition.
 */
export function addCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  Object.assign(CompressionCodecs, {
    [CompressionTypes.GZIP]: codec(
      (buffer) => packGzip(buffer),
      (buffer) => unpackGzip(buffer, LIMIT),
    ),
    [CompressionTypes.ZSTD]: codec(
      (buffer) => packZstd(buffer),
      (buffer) => unpackZstd(buffer, LIMIT),
    ),
    [CompressionTypes.Snappy]: codec(neverWritten, async (buffer) => unpackSnappy(buffer)),
    [CompressionTypes.LZ4]: codec(neverWritten, async (buffer) => unpackLz4(buffer)),
  });
}

function codec(pack: (buffer: Buffer) => Promise<Buffer>, unpack: (buffer: Buffer) => Promise<Buffer>) {
  return () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) => pack(buffer),
    decompress: (buffer: Buffer) => unpackOrReplace(buffer, unpack),
  });
}

async function neverWritten(): Promise<Buffer> {
  throw new Error('this server writes no snappy and no LZ4');
}
