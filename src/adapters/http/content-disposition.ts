/** A `Content-Disposition` by RFC 6266: the name in UTF-8 for all who read that, a plain one for the others. */
export function contentDisposition(kind: 'inline' | 'attachment', fileName: string | null): string {
  if (fileName === null || fileName === '') return kind;
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  // What encodeURIComponent leaves as it is and RFC 8187 does not: ' ( ) *
  const utf8 = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${utf8}`;
}
