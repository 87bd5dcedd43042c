// Kept for this tab alone: another tab is another user.

/** What was kept under the key; undefined for nothing, or nothing to read. @param {string} key @returns {any} */
export function readStored(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} key @param {unknown} value null forgets it */
export function writeStored(key, value) {
  try {
    if (value === null || value === '') sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing for pages still shows the chat.
  }
}
