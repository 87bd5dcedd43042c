/**
 * How many numbers of a place form a bucket. A hole is a number without a message: the number of an
 * edit, a deletion or a deleted message. Stores keep the count of holes for each bucket, so a
 * change of the size requires new counts.
 */
const BUCKET = 1024;

/** The bucket of a number. */
export function holeBucket(seq: number): number {
  return Math.floor(seq / BUCKET);
}

/** The first number of a bucket. Numbers begin with 1. */
export function firstOfBucket(bucket: number): number {
  return Math.max(1, bucket * BUCKET);
}

/** The last number of a bucket. */
export function lastOfBucket(bucket: number): number {
  return (bucket + 1) * BUCKET - 1;
}

/**
 * True if so few messages are skipped that reading and dropping them costs less than `seekMessage`.
 */
export function isShortSkip(skip: number): boolean {
  return skip <= BUCKET;
}

/**
 * Finds the message that has `skip` newer messages. The result says: start at the number `upTo` and
 * skip that many messages downwards.
 *
 * Numbers have no gaps, so whole buckets are passed by arithmetic with their holes. At most one
 * bucket with holes is left to walk through. Without this, a store would walk all the way from the
 * newest message.
 * @param holes the number of holes in a bucket; called once for each bucket, from the newest
 * downwards
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
