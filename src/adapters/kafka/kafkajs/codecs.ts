import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { unpack } from '../unpack.ts';

/** Makes kafkajs write gzip and zstd, and read the four compressions of Kafka within limits. */
export function addCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  Object.assign(CompressionCodecs, {
    [CompressionTypes.GZIP]: codec(CompressionTypes.GZIP, promisify(gzip)),
    [CompressionTypes.ZSTD]: codec(CompressionTypes.ZSTD, promisify(zstdCompress)),
    [CompressionTypes.Snappy]: codec(CompressionTypes.Snappy, neverWritten),
    [CompressionTypes.LZ4]: codec(CompressionTypes.LZ4, neverWritten),
  });
}

function codec(type: number, pack: (bytes: Buffer) => Promise<Buffer>) {
  return () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) => pack(buffer),
    decompress: async (buffer: Buffer) => unpack(type, buffer),
  });
}

async function neverWritten(): Promise<Buffer> {
  throw new Error('this server writes no snappy and no LZ4');
}
