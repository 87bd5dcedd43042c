import { afterEach, describe, expect, test } from 'vitest';
import type { UserDirectory } from '../../src/application/ports/user-directory.ts';

export interface UserDirectoryUnderTest {
  readonly directory: UserDirectory;
  stop(): Promise<void>;
}

/** @param make a directory of the small world */
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

    test('says whether names are its to decide', async () => {
      expect((await start()).authoritative).toBe(expected.authoritative);
    });

    test('tells names and pictures, and leaves out whom it does not know', async () => {
      const directory = await start();
      const profiles = await directory.profiles([1, 3, 99, 1]);
      expect([...profiles].sort(([a], [b]) => a - b)).toEqual([
        [1, { name: 'Ada', image: 'http://img/1.png' }],
        [3, { name: '리누스', image: null }],
      ]);
      expect(await directory.profiles([])).toEqual(new Map());
    });

    test('what was told is known without asking', async () => {
      const directory = await start();
      await directory.profiles([1, 99]);
      expect(directory.cached(1)).toEqual({ name: 'Ada', image: 'http://img/1.png' });
      expect(directory.cached(99)).toBeUndefined();
    });
  });
}
