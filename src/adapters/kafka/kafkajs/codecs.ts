import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { unpackLz4, unpackSnappy } from './unpack.ts';

const pack = promisify(zstdCompress);
const unpack = promisify(zstdDecompress);

/** Adds to kafkajs, which has gzip only: zstd, and reading snappy and LZ4. */
export function addCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  Object.assign(CompressionCodecs, {
    [CompressionTypes.ZSTD]: () => ({
      compress: ({ buffer }: { readonly buffer: Buffer }) => pack(buffer),
      decompress: (buffer: Buffer) => unpack(buffer),
    }),
    [CompressionTypes.Snappy]: () => ({
      compress: neverWritten,
      decompress: async (buffer: Buffer) => unpackSnappy(buffer),
    }),
    [CompressionTypes.LZ4]: () => ({ compress: neverWritten, decompress: async (buffer: Buffer) => unpackLz4(buffer) }),
  });
}

async function neverWritten(): Promise<Buffer> {
  throw new Error('this server writes no snappy and no LZ4');
}
