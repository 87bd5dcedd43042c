import type { ByteStream } from '../../application/ports/file-store.ts';
import { isServedType, OPAQUE_TYPE } from '../../domain/file.ts';

/** Bytes at the beginning of a file that show its type. */
const HEAD_BYTES = 4100;

/** The usual names of formats that have several. */
const USUAL_NAMES: Readonly<Record<string, string>> = {
  'image/apng': 'image/png',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'audio/x-m4a': 'audio/mp4',
  'video/x-m4v': 'video/mp4',
  'video/matroska': 'video/x-matroska',
  'video/vnd.avi': 'video/x-msvideo',
  'video/MP1S': 'video/mpeg',
  'video/MP2P': 'video/mpeg',
};

/**
 * Brands of pictures in the ISO media format that the library reports as another type. A picture
 * with the general brand `mif1` or `msf1` names its own brand in the list of compatible brands.
 */
const PICTURE_BRANDS: Readonly<Record<string, string>> = {
  heim: 'image/heic',
  heis: 'image/heic',
  hevm: 'image/heic-sequence',
  hevs: 'image/heic-sequence',
};
/**
 * Types whose first bytes can also begin a text, such as `BM`. Their files contain zero bytes, and
 * texts do not.
 */
const WEAK_TYPES: ReadonlySet<string> = new Set(['image/bmp', 'video/mp2t']);
const GENERAL_BRANDS: ReadonlySet<string> = new Set(['mif1', 'msf1']);
const AVIF_BRANDS: ReadonlySet<string> = new Set(['avif', 'avis']);

/**
 * The content type that the first bytes show; {@link OPAQUE_TYPE} when they show no type that may
 * be served.
 */
export async function sniff(head: Uint8Array): Promise<string> {
  try {
    const mime = pictureType(head) ?? (await typeByLibrary(head)) ?? OPAQUE_TYPE;
    const usual = USUAL_NAMES[mime] ?? mime;
    if (WEAK_TYPES.has(usual) && !head.includes(0)) return OPAQUE_TYPE;
    return isServedType(usual) ? usual : OPAQUE_TYPE;
  } catch {
    return OPAQUE_TYPE;
  }
}

/** Loads the library with the first file, because it takes 2 MB. */
async function typeByLibrary(head: Uint8Array): Promise<string | undefined> {
  const { fileTypeFromBuffer } = await import('file-type');
  return (await fileTypeFromBuffer(head))?.mime;
}

/**
 * The type of a picture that {@link PICTURE_BRANDS} or its compatible brands show; otherwise null.
 */
function pictureType(head: Uint8Array): string | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length < 12 || bytes.toString('latin1', 4, 8) !== 'ftyp') return null;
  const brand = bytes.toString('latin1', 8, 12);
  if (!GENERAL_BRANDS.has(brand)) return PICTURE_BRANDS[brand] ?? null;
  const end = Math.min(bytes.readUInt32BE(0), bytes.length);
  for (let at = 16; at + 4 <= end; at += 4) {
    if (AVIF_BRANDS.has(bytes.toString('latin1', at, at + 4))) return 'image/avif';
  }
  return null;
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
