import { fileTypeFromBuffer } from 'file-type';
import type { ByteStream } from '../../application/ports/file-store.ts';
import { isServedType, OPAQUE_TYPE } from '../../domain/file.ts';

/** Bytes at the beginning of a file that show its type. */
const HEAD_BYTES = 4100;

/** The usual names of formats that have several. */
const USUAL_NAMES: Readonly<Record<string, string>> = {
  'image/apng': 'image/png',
  'audio/ogg; codecs=opus': 'audio/ogg',
};

/**
 * The content type that the first bytes show; {@link OPAQUE_TYPE} when they show no type that may
 * be served.
 */
export async function sniff(head: Uint8Array): Promise<string> {
  try {
    const mime = (await fileTypeFromBuffer(head))?.mime ?? OPAQUE_TYPE;
    const usual = USUAL_NAMES[mime] ?? mime;
    return isServedType(usual) ? usual : OPAQUE_TYPE;
  } catch {
    return OPAQUE_TYPE;
  }
}

/**
 * Finds the type of a stream. The result has the whole stream again. The caller reads `bytes` to
 * its end, or returns it.
 */
export async function sniffStream(
  bytes: ByteStream,
): Promise<{ readonly contentType: string; readonly bytes: ByteStream }> {
  const source = bytes[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  while (size < HEAD_BYTES && !ended) {
    const next = await source.next();
    if (next.done === true) ended = true;
    else {
      read.push(next.value);
      size += next.value.length;
    }
  }
  const contentType = await sniff(Buffer.concat(read).subarray(0, HEAD_BYTES));
  return { contentType, bytes: rejoin(read, source, ended) };
}

async function* rejoin(read: Uint8Array[], source: AsyncIterator<Uint8Array>, ended: boolean): ByteStream {
  let done = ended;
  try {
    // A chunk is released as soon as it has been passed on.
    for (let chunk = read.shift(); chunk !== undefined; chunk = read.shift()) yield chunk;
    while (!done) {
      const next = await source.next();
      if (next.done === true) done = true;
      else yield next.value;
    }
  } finally {
    if (!done) await source.return?.();
  }
}
