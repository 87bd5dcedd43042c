/**
 * A random number, at least 0 and less than 1. It is a port so that a simulated run can be
 * repeated. Not for secrets.
 */
export type Random = () => number;
