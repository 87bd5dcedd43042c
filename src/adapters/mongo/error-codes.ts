/** MongoDB's error code for a value that a unique index already holds. */
export const DUPLICATE_KEY = 11000;

/** Error codes of failures that end with a new primary or after a short time. */
export const TEMPORARY_CODES: ReadonlySet<number> = new Set([
  6, 7, 50, 89, 91, 112, 134, 189, 251, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);
