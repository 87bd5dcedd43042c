// Values are kept for this tab only, because another tab can be another user.

/**
 * Reads a value; undefined if there is none or it cannot be read.
 * @param {string} key
 * @returns {any}
 */
export function readStored(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** Writes a value; null removes it. @param {string} key @param {unknown} value */
export function writeStored(key, value) {
  try {
    if (value === null || value === '') sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Some browsers refuse storage. The chat works without it.
  }
}
