/**
 * A `Content-Disposition` according to RFC 6266, with the name in UTF-8 and a plain name for
 * clients that do not read it.
 */
export function contentDisposition(kind: 'inline' | 'attachment', fileName: string | null): string {
  if (fileName === null || fileName === '') return kind;
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  // encodeURIComponent keeps ' ( ) * and RFC 8187 does not allow them.
  const utf8 = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${utf8}`;
}
