import { afterEach, describe, expect, it } from 'vitest';
import type { ListsPart, MemberCache } from '../../src/application/ports/member-cache.ts';

export interface MemberCacheUnderTest {
  readonly cache: MemberCache;
  stop(): Promise<void>;
}

/** @param make starts a cache that has no list of the places below */
export function memberCacheContract(name: string, make: () => Promise<MemberCacheUnderTest>): void {
  describe(`MemberCache: ${name}`, () => {
    const made: MemberCacheUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((one) => one.stop()));
    });
    async function start(): Promise<MemberCache> {
      const one = await make();
      made.push(one);
      return one.cache;
    }

    it('returns no list that was never put', async () => {
      const cache = await start();
      expect(await cache.get('r-5')).toBeNull();
    });

    it('returns the list that was put, and keeps rooms and communities apart', async () => {
      const cache = await start();
      await cache.put('r-5', [1, 2, 3]);
      await cache.put('com-5', [7]);
      expect(await cache.get('r-5')).toEqual([1, 2, 3]);
      expect(await cache.get('com-5')).toEqual([7]);
      expect(await cache.get('r-6')).toBeNull();
    });

    it('keeps an empty list', async () => {
      const cache = await start();
      await cache.put('r-5', []);
      expect(await cache.get('r-5')).toEqual([]);
    });

    it('replaces a list by one that is put later', async () => {
      const cache = await start();
      await cache.put('r-5', [1, 2]);
      await cache.put('r-5', [2]);
      expect(await cache.get('r-5')).toEqual([2]);
    });

    it('adds a list only if there is none', async () => {
      const cache = await start();
      await cache.add('r-5', [1, 2]);
      expect(await cache.get('r-5')).toEqual([1, 2]);
      await cache.add('r-5', [3]);
      expect(await cache.get('r-5')).toEqual([1, 2]);
    });

    it('replaces a list that was added by one that is put, and keeps that', async () => {
      const cache = await start();
      await cache.add('r-5', [1, 2]);
      await cache.put('r-5', [1]);
      await cache.add('r-5', [1, 2]);
      expect(await cache.get('r-5')).toEqual([1]);
    });

    it('mends a list that is missing or was added', async () => {
      const cache = await start();
      expect(await cache.mend('r-5', [1, 2])).toBeNull();
      expect(await cache.get('r-5')).toEqual([1, 2]);
      await cache.add('com-5', [3]);
      expect(await cache.mend('com-5', [])).toBeNull();
      expect(await cache.get('com-5')).toEqual([]);
    });

    it('mends a list that was mended before', async () => {
      const cache = await start();
      await cache.mend('r-5', [1, 2]);
      expect(await cache.mend('r-5', [1])).toBeNull();
      expect(await cache.get('r-5')).toEqual([1]);
    });

    it('returns a list that was put just now instead of mending it, and keeps it', async () => {
      const cache = await start();
      await cache.put('r-5', [1]);
      expect(await cache.mend('r-5', [1, 2])).toEqual([1]);
      expect(await cache.get('r-5')).toEqual([1]);
      await cache.put('com-5', []);
      expect(await cache.mend('com-5', [3])).toEqual([]);
      expect(await cache.mend('r-6', [3])).toBeNull();
    });

    it('replaces a mended list by one that is put', async () => {
      const cache = await start();
      await cache.mend('r-5', [1, 2]);
      await cache.put('r-5', [1]);
      expect(await cache.get('r-5')).toEqual([1]);
    });

    it('does not change a list when the array that was put changes', async () => {
      const cache = await start();
      const members = [1, 2];
      await cache.put('r-5', members);
      members.push(3);
      expect(await cache.get('r-5')).toEqual([1, 2]);
      await cache.mend('r-6', members);
      members.push(4);
      expect(await cache.get('r-6')).toEqual([1, 2, 3]);
    });

    it('takes a user out of all lists in parts, and finds none afterwards', async () => {
      const cache = await start();
      const all = async (method: 'listsOf' | 'forget', userId: number): Promise<number> => {
        let found = 0;
        for (let cursor: string | null = null; ; ) {
          const part: ListsPart = await cache[method](userId, cursor);
          found += part.lists;
          if (part.next === null) return found;
          cursor = part.next;
        }
      };
      await cache.put('r-5', [1, 2, 12]);
      await cache.put('com-5', [2]);
      await cache.add('r-6', [1, 12]);
      expect(await all('listsOf', 2)).toBe(2);
      expect(await cache.get('r-5')).toEqual([1, 2, 12]);
      expect(await all('forget', 2)).toBe(2);
      expect(await cache.get('r-5')).toEqual([1, 12]);
      expect(await cache.get('com-5')).toEqual([]);
      expect(await cache.get('r-6')).toEqual([1, 12]);
      expect(await all('listsOf', 2)).toBe(0);
      expect(await all('forget', 2)).toBe(0);
    });

    it('keeps a list of 20,000 members', async () => {
      const cache = await start();
      const members = Array.from({ length: 20_000 }, (_, index) => index + 1);
      await cache.put('com-1', members);
      expect(await cache.get('com-1')).toEqual(members);
    });
  });
}
