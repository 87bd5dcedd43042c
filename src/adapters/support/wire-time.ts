/**
 * Formats a time as clients and other servers expect it: UTC, milliseconds, no zone, such as
 * `2026-11-22T15:49:35.642`.
 * @param ms since 1970
 */
export function wireTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23);
}

/**
 * Formats a time as `yyyyMMddHHmmssSSS` in UTC, as the community service expects it.
 * @param ms since 1970
 */
export function compactTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[^0-9]/g, '');
}
