import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstOfBucket, holeBucket, isShortSkip, seekMessage } from '../../../src/domain/holes.ts';

const BUCKET = 1024;

/** A place with several buckets, some of them with holes. */
const place = fc
  .record({
    newest: fc.integer({ min: 0, max: 5 * BUCKET }),
    holey: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
    every: fc.integer({ min: 1, max: 40 }),
    skip: fc.integer({ min: 0, max: 5 * BUCKET }),
  })
  .map(({ newest, holey, every, skip }) => {
    const isHole = (seq: number) => holey.includes(holeBucket(seq)) && seq % every === 0;
    const numbers = Array.from({ length: newest }, (_, i) => newest - i);
    const counts = Map.groupBy(numbers.filter(isHole), holeBucket);
    return { newest, skip, counts, live: numbers.filter((seq) => !isHole(seq)) };
  });

it('finds the same message as a walk from the newest, and leaves little of it to walk', () => {
  fc.assert(
    fc.property(place, ({ newest, skip, counts, live }) => {
      const asked: number[] = [];
      const found = seekMessage(newest, skip, (bucket) => {
        asked.push(bucket);
        return counts.get(bucket)?.length ?? 0;
      });
      const below = live.filter((seq) => seq <= found.upTo);
      expect(below.slice(found.skip)).toEqual(live.slice(skip));
      if (below.length > found.skip) {
        expect(found.skip).toBeLessThan(BUCKET);
        if (!counts.has(holeBucket(found.upTo))) expect(found.skip).toBe(0);
      }
      expect(asked).toEqual([...new Set(asked)].sort((a, b) => b - a));
    }),
    { numRuns: 300 },
  );
});

it('begins each bucket of holes at a multiple of its size, and the lowest bucket at 1', () => {
  expect([1, BUCKET - 1, BUCKET, 2 * BUCKET].map((seq) => firstOfBucket(holeBucket(seq)))).toEqual([
    1,
    1,
    BUCKET,
    2 * BUCKET,
  ]);
});

it('looks for a message only when more than one bucket is skipped', () => {
  expect([isShortSkip(0), isShortSkip(BUCKET), isShortSkip(BUCKET + 1)]).toEqual([true, true, false]);
});
