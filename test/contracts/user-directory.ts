import { afterEach, describe, expect, it } from 'vitest';
import type { UserDirectory } from '../../src/application/ports/user-directory.ts';

export interface UserDirectoryUnderTest {
  readonly directory: UserDirectory;
  stop(): Promise<void>;
}

/** @param make starts a directory of the users of `SMALL_WORLD` */
export function userDirectoryContract(
  name: string,
  expected: { readonly authoritative: boolean },
  make: () => Promise<UserDirectoryUnderTest>,
): void {
  describe(`UserDirectory: ${name}`, () => {
    const made: UserDirectoryUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((one) => one.stop()));
    });
    async function start(): Promise<UserDirectory> {
      const one = await make();
      made.push(one);
      return one.directory;
    }

    it('says whether a user service decides the names', async () => {
      expect((await start()).authoritative).toBe(expected.authoritative);
    });

    it('returns the profiles of known users and leaves out the others', async () => {
      const directory = await start();
      const profiles = await directory.profiles([1, 3, 99, 1]);
      expect([...profiles].sort(([a], [b]) => a - b)).toEqual([
        [1, { name: 'Ada', image: 'http://img/1.png' }],
        [3, { name: '리누스', image: null }],
      ]);
      expect(await directory.profiles([])).toEqual(new Map());
    });

    it('returns a profile at once after it was read before', async () => {
      const directory = await start();
      await directory.profiles([1, 99]);
      expect(directory.cached(1)).toEqual({ name: 'Ada', image: 'http://img/1.png' });
      expect(directory.cached(99)).toBeUndefined();
    });
  });
}
