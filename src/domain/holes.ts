/** Numbers of a place that are counted together. Stores keep counts by it: another size would need them counted anew. */
const BUCKET = 1024;

/** In which count a number falls that is no message (any more). */
export function holeBucket(seq: number): number {
  return Math.floor(seq / BUCKET);
}

/** The least number of a bucket; numbers begin with 1. */
export function firstOfBucket(bucket: number): number {
  return Math.max(1, bucket * BUCKET);
}

/** True where so few are skipped that looking for the place costs more. */
export function isShortSkip(skip: number): boolean {
  return skip <= BUCKET;
}

/**
 * Where the message stands that has `skip` newer ones: that many from `upTo` downwards. Numbers are dense, so buckets are passed over by arithmetic with the holes in them, and at
 * most one that has some is left to walk through: a skip alone would walk all the way from the newest.
 * @param holes how many numbers of a bucket are no message; asked from the newest bucket downwards, each once
 */
export function seekMessage(
  newest: number,
  skip: number,
  holes: (bucket: number) => number,
): { readonly upTo: number; readonly skip: number } {
  let left = skip;
  let upTo = newest;
  while (upTo > 0) {
    const bucket = holeBucket(upTo);
    const bottom = firstOfBucket(bucket);
    const gone = holes(bucket);
    const live = upTo - bottom + 1 - gone;
    if (live > left) return gone === 0 ? { upTo: upTo - left, skip: 0 } : { upTo, skip: left };
    left -= live;
    upTo = bottom - 1;
  }
  return { upTo, skip: left };
}
