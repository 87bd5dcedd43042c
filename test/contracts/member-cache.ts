import { afterEach, describe, expect, test } from 'vitest';
import type { MemberCache } from '../../src/application/ports/member-cache.ts';

export interface MemberCacheUnderTest {
  readonly cache: MemberCache;
  stop(): Promise<void>;
}

/** @param make an empty cache */
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

    test('has nothing that was not put', async () => {
      const cache = await start();
      expect(await cache.get('r-5')).toBeNull();
    });

    test('gives what was put, rooms and communities apart', async () => {
      const cache = await start();
      await cache.put('r-5', [1, 2, 3]);
      await cache.put('com-5', [7]);
      expect(await cache.get('r-5')).toEqual([1, 2, 3]);
      expect(await cache.get('com-5')).toEqual([7]);
      expect(await cache.get('r-6')).toBeNull();
    });

    test('an empty list is a list', async () => {
      const cache = await start();
      await cache.put('r-5', []);
      expect(await cache.get('r-5')).toEqual([]);
    });

    test('what is put later replaces it', async () => {
      const cache = await start();
      await cache.put('r-5', [1, 2]);
      await cache.put('r-5', [2]);
      expect(await cache.get('r-5')).toEqual([2]);
    });

    test('what is added does not stand in the way of what was put', async () => {
      const cache = await start();
      await cache.add('r-5', [1, 2]);
      expect(await cache.get('r-5')).toEqual([1, 2]);
      await cache.put('r-5', [1]);
      await cache.add('r-5', [1, 2]);
      expect(await cache.get('r-5')).toEqual([1]);
    });

    test('does not change when the list that was put does', async () => {
      const cache = await start();
      const members = [1, 2];
      await cache.put('r-5', members);
      members.push(3);
      expect(await cache.get('r-5')).toEqual([1, 2]);
    });

    test('keeps a list of 20,000', async () => {
      const cache = await start();
      const members = Array.from({ length: 20_000 }, (_, index) => index + 1);
      await cache.put('com-1', members);
      expect(await cache.get('com-1')).toEqual(members);
    });
  });
}
