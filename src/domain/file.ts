import { countChars, firstChars, hasMoreCharsThan, isBlank } from './text.ts';

/**
 * The content type of a file that is not safe to display according to its first bytes. Files that
 * can be run, or that can contain something that can be run (HTML, SVG, XML, archives), have this
 * type.
 */
export const OPAQUE_TYPE = 'application/octet-stream';

/**
 * Types that a browser may show, because it only decodes their bytes: the pictures, videos and
 * sounds that phones and their browsers make. A browser that cannot decode a type saves the file.
 */
const INLINE_TYPES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/heic',
  'image/heic-sequence',
  'image/heif',
  'image/heif-sequence',
  'image/jxl',
  'image/bmp',
  'image/tiff',
  'image/x-adobe-dng',
  'video/mp4',
  'video/quicktime',
  'video/3gpp',
  'video/3gpp2',
  'video/webm',
  'video/x-matroska',
  'video/ogg',
  'video/mpeg',
  'video/mp2t',
  'video/x-msvideo',
  'audio/mp4',
  'audio/mpeg',
  'audio/aac',
  'audio/amr',
  'audio/ogg',
  'audio/wav',
  'audio/flac',
  'audio/aiff',
  'audio/x-caf',
]);

/**
 * Types that a file keeps, but that a browser must save instead of showing. Another program opens
 * them.
 */
const SAVED_TYPES: ReadonlySet<string> = new Set(['application/pdf']);

/** True when a browser may show a file of this type inside a page. */
export function isInlineType(contentType: string): boolean {
  return INLINE_TYPES.has(contentType);
}

/** True when a file may be served under this type. Every other type becomes {@link OPAQUE_TYPE}. */
export function isServedType(contentType: string): boolean {
  return INLINE_TYPES.has(contentType) || SAVED_TYPES.has(contentType);
}

const WHOLE_URL = /^https?:\/\//i;

/**
 * True when the content or thumbnail of a file message is a whole URL. An original server stored
 * such a file, outside of this server's file store. Every other file has a key of the file store
 * here.
 */
export function isFileUrl(content: string): boolean {
  return WHOLE_URL.test(content);
}

/** Characters of a file name. */
const MAX_FILE_NAME_CHARS = 200;
/**
 * Control characters, direction controls and characters without a width that join nothing. A
 * direction control could make `gpj.exe` look like `exe.jpg`. Joiners stay: words and emoji need
 * them.
 */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u00ad\u200b\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/**
 * A file name that is safe to save under: well-formed, composed (NFC), without folders and
 * {@link UNSAFE} characters. A name that is too long keeps its extension. Null when nothing visible
 * is left.
 */
export function cleanFileName(name: string | null): string | null {
  const last = name?.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const clean = last.replace(UNSAFE, '').trim().normalize('NFC');
  if (isBlank(clean) || /^\.+$/.test(clean)) return null;
  if (!hasMoreCharsThan(clean, MAX_FILE_NAME_CHARS)) return clean;
  const ending = /\.[\p{L}\p{N}]{1,16}$/u.exec(clean)?.[0] ?? '';
  return firstChars(clean, MAX_FILE_NAME_CHARS - countChars(ending)) + ending;
}

/** The data of a file beside its bytes. Null where it is not known. */
export interface FileFacts {
  /** The name that the file had at its sender, as {@link cleanFileName} returns it. */
  readonly fileName: string | null;
  /** Size in bytes. */
  readonly fileSize: number | null;
  /** Width of an image or video in pixels, according to its sender. */
  readonly width: number | null;
  /** Height of an image or video in pixels, according to its sender. */
  readonly height: number | null;
}

/** The data of messages that show no file, and of files whose sender or server gave none. */
export const NO_FILE_FACTS = {
  fileName: null,
  fileSize: null,
  width: null,
  height: null,
} as const satisfies FileFacts;

/** Limit for the width and the height of an image or video, in pixels. */
export const MAX_DIMENSION_PIXELS = 1_000_000;

/** True for a width or height of an image or video. */
export function isDimension(pixels: number): boolean {
  return Number.isInteger(pixels) && pixels > 0 && pixels <= MAX_DIMENSION_PIXELS;
}
