const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** Shown where a figure is not known. */
export const UNKNOWN = '–';

/** @param {number | null | undefined} value */
export function number(value) {
  return value === null || value === undefined ? UNKNOWN : NUMBER.format(value);
}

/** @param {number | null} value 0 to 1 */
export function percent(value) {
  return value === null ? UNKNOWN : `${NUMBER.format(value * 100)} %`;
}

/** @param {number | null} value */
export function bytes(value) {
  if (value === null) return UNKNOWN;
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${NUMBER.format(value / 1024)} KiB`;
  if (value < 1024 ** 3) return `${NUMBER.format(value / 1024 ** 2)} MiB`;
  return `${NUMBER.format(value / 1024 ** 3)} GiB`;
}

/** @param {number | null} ms */
export function milliseconds(ms) {
  return ms === null ? UNKNOWN : `${NUMBER.format(ms)} ms`;
}

/** A time of the service API as milliseconds since 1970. @param {string} time UTC without a zone */
export function timeOf(time) {
  return Date.parse(`${time.replace(/Z$/, '')}Z`);
}

/** How long ago, in the two greatest units. @param {string} time @param {number} [now] */
export function since(time, now = Date.now()) {
  const seconds = Math.max(0, Math.floor((now - timeOf(time)) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time as `2026-11-27 12:00:00`, in UTC as the API has it. @param {string | null} time */
export function clock(time) {
  return time === null ? UNKNOWN : time.replace('T', ' ').replace(/(\.\d+)?Z?$/, '');
}

/**
 * The time of a `datetime-local` field, which is local, as the API has it; null for an empty field.
 * @param {string} local
 */
export function utc(local) {
  return local === '' ? null : new Date(local).toISOString().replace('Z', '');
}
