/**
 * The content type of a file that is not safe to display according to its first bytes. Files that
 * can be run, or that can contain something that can be run (HTML, SVG, XML, archives), have this
 * type.
 */
export const OPAQUE_TYPE = 'application/octet-stream';

/** Types that a browser may show, because it only decodes their bytes. */
const INLINE_TYPES: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'audio/mpeg',
  'audio/ogg',
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
