/**
 * The content type of a file whose first bytes show nothing that is safe to display. All that can be run, and all that can hide something
 * that can be run (HTML, SVG, XML, archives), has this type.
 */
export const OPAQUE_TYPE = 'application/octet-stream';

/** Types of which a browser only decodes the bytes. It may show them itself. */
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

/** Types that a file keeps, but that a browser must save instead of showing: another program opens them. */
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
 * True when the content or thumbnail of a file message is a whole URL. Such a file was stored by an original server and lies elsewhere. Every
 * other file is named by its key in the file store.
 */
export function isFileUrl(content: string): boolean {
  return WHOLE_URL.test(content);
}
