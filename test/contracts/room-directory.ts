import { afterEach, describe, expect, it } from 'vitest';
import type { RoomDirectory } from '../../src/application/ports/room-directory.ts';

export interface RoomDirectoryUnderTest {
  readonly directory: RoomDirectory;
  stop(): Promise<void>;
}

/** The content of every directory under test. */
export const SMALL_WORLD = {
  users: {
    1: { name: 'Ada', image: 'http://img/1.png' },
    2: { name: 'Grace', image: null },
    3: { name: '리누스', image: null },
  },
  rooms: { 5: [1, 2], 6: [1, 3] },
  communities: {
    1: { members: [1, 2, 3], channels: { 11: null, 12: [1, 2] } },
    2: { members: [3], channels: { 21: null } },
  },
};

const as = (userId: number) => ({ userId, token: `token-of-${userId}` });

/** @param make starts a directory of `SMALL_WORLD` */
export function roomDirectoryContract(name: string, make: () => Promise<RoomDirectoryUnderTest>): void {
  describe(`RoomDirectory: ${name}`, () => {
    const made: RoomDirectoryUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(made.splice(0).map((one) => one.stop()));
    });
    async function start(): Promise<RoomDirectory> {
      const one = await make();
      made.push(one);
      return one.directory;
    }

    it('returns the members of rooms and communities', async () => {
      const directory = await start();
      expect(await directory.roomMembers(5)).toEqual([1, 2]);
      expect(await directory.communityMembers(1)).toEqual([1, 2, 3]);
    });

    it('returns null for a room, community or channel that does not exist', async () => {
      const directory = await start();
      expect(await directory.roomMembers(1)).toBeNull();
      expect(await directory.communityMembers(5)).toBeNull();
      expect(await directory.channel(5, as(1))).toBeNull();
    });

    it('returns the members of a public channel and of a private one', async () => {
      const directory = await start();
      expect(await directory.channel(11, as(3))).toMatchObject({ id: 11, members: [1, 2, 3] });
      expect(await directory.channel(12, as(2))).toMatchObject({ id: 12, members: [1, 2] });
    });

    it('lists all channels of a community with their members, or none if it cannot list channels', async () => {
      const directory = await start();
      const channels = await directory.channelsOf(1);
      if (channels !== null) {
        expect(channels.map(({ id, members, isPublic }) => ({ id, members, isPublic }))).toEqual([
          { id: 11, members: [1, 2, 3], isPublic: true },
          { id: 12, members: [1, 2], isPublic: false },
        ]);
        expect(await directory.channelsOf(5)).toEqual([]);
      } else expect(await directory.channelsOf(5)).toBeNull();
    });

    it('refuses a channel to a user who may not read it', async () => {
      const directory = await start();
      await expect(directory.channel(12, as(3))).rejects.toMatchObject({ code: 'not-permitted' });
      await expect(directory.channel(21, as(1))).rejects.toMatchObject({ code: 'not-permitted' });
    });

    it('returns the rooms and communities of a user, and none for an unknown user', async () => {
      const directory = await start();
      expect([...(await directory.placesOf(1))].sort()).toEqual(['com-1', 'r-5', 'r-6']);
      expect([...(await directory.placesOf(3))].sort()).toEqual(['com-1', 'com-2', 'r-6']);
      expect(await directory.placesOf(99)).toEqual([]);
    });
  });
}
