import { fileTypeFromBuffer } from 'file-type';
import type { ByteStream } from '../../application/ports/file-store.ts';
import { isServedType, OPAQUE_TYPE } from '../../domain/file.ts';

/** Bytes that are looked at. */
const HEAD = 4100;

// The same format by another of its names.
const USUAL: Readonly<Record<string, string>> = { 'image/apng': 'image/png', 'audio/ogg; codecs=opus': 'audio/ogg' };

/** The content type that the first bytes show, {@link OPAQUE_TYPE} for all that is not known to be harmless. */
export async function sniff(head: Uint8Array): Promise<string> {
  try {
    const mime = (await fileTypeFromBuffer(head))?.mime ?? OPAQUE_TYPE;
    const usual = USUAL[mime] ?? mime;
    return isServedType(usual) ? usual : OPAQUE_TYPE;
  } catch {
    return OPAQUE_TYPE;
  }
}

/** The type of a stream, and the stream again with nothing missing. The caller reads `bytes` to its end, or ends it. */
export async function sniffed(
  bytes: ByteStream,
): Promise<{ readonly contentType: string; readonly bytes: ByteStream }> {
  const source = bytes[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  while (size < HEAD && !ended) {
    const next = await source.next();
    if (next.done === true) ended = true;
    else {
      read.push(next.value);
      size += next.value.length;
    }
  }
  const contentType = await sniff(Buffer.concat(read).subarray(0, HEAD));
  return { contentType, bytes: rejoined(read, source, ended) };
}

async function* rejoined(read: Uint8Array[], source: AsyncIterator<Uint8Array>, ended: boolean): ByteStream {
  let done = ended;
  try {
    // Each is let go as it leaves.
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
