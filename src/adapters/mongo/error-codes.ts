/** MongoDB's error code for a value that a unique index already holds. */
export const DUPLICATE_KEY = 11000;

/**
 * Error codes of a MongoDB that refuses all writes: a role is missing, the quota of Atlas is used
 * up (8000), the disk is full (14031). Somebody must act. The same write succeeds afterwards.
 */
export const REFUSED_WRITES_CODES: ReadonlySet<number> = new Set([13, 8000, 14031]);

/** Error codes of failures that end with a new primary or after a short time. */
export const TEMPORARY_CODES: ReadonlySet<number> = new Set([
  6, 7, 24, 43, 50, 64, 89, 91, 100, 112, 133, 134, 175, 189, 237, 246, 251, 262, 290, 365, 9001, 10058, 10107, 11600,
  11601, 11602, 13435, 13436,
]);
