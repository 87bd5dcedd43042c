/** A time as every client of the wire expects it: UTC, three fraction digits, no zone: `2026-11-22T15:49:35.642`. */
export function wireTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23);
}

/** `yyyyMMddHHmmssSSS`, UTC, 24 hours. */
export function compactTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[^0-9]/g, '');
}
