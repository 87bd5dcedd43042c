import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startStandIns } from '../../neighbours/stand-ins/server.ts';
import { MemoryDirectory } from '../../src/adapters/memory/directory.ts';
import {
  DEMO_WORLD,
  type DirectoryFile,
  loadDirectoryFile,
  readDirectory,
} from '../../src/adapters/memory/directory-file.ts';
import { MemoryRoomDirectory } from '../../src/adapters/memory/room-directory.ts';
import { MemoryUserDirectory } from '../../src/adapters/memory/user-directory.ts';
import { RestService } from '../../src/adapters/rest/rest-service.ts';
import { RestRoomDirectory } from '../../src/adapters/rest/room-directory.ts';
import { RestUserDirectory } from '../../src/adapters/rest/user-directory.ts';
import { roomDirectoryContract, SMALL_WORLD } from './room-directory.ts';
import { userDirectoryContract } from './user-directory.ts';

const stop = async () => {};
const small = () => new MemoryDirectory({ world: SMALL_WORLD });

async function standIns() {
  const services = await startStandIns({ directory: SMALL_WORLD });
  const community = new RestService({ name: 'the community service', url: services.communityUrl });
  const user = new RestService({ name: 'the user service', url: `${services.userUrl}/` });
  const stop = async () => {
    await Promise.all([community.close(), user.close()]);
    await services.stop();
  };
  return { community, user, stop };
}

roomDirectoryContract('in memory', async () => ({ directory: new MemoryRoomDirectory(small()), stop }));
roomDirectoryContract('by REST', async () => {
  const { community, stop } = await standIns();
  return { directory: new RestRoomDirectory(community), stop };
});

userDirectoryContract('in memory', { authoritative: false }, async () => ({
  directory: new MemoryUserDirectory(small()),
  stop,
}));
userDirectoryContract('by REST', { authoritative: true }, async () => {
  const { user, stop } = await standIns();
  return { directory: new RestUserDirectory(user), stop };
});

describe('the directory in memory', () => {
  test('is a small demo world by default', async () => {
    const directory = new MemoryDirectory();
    expect([...directory.users().values()].map(({ name }) => name)).toEqual([
      'Ada',
      'Grace',
      'Linus',
      'Margaret',
      'Ken',
      'Barbara',
    ]);
    expect(await new MemoryRoomDirectory(directory).roomMembers(7)).toEqual([2, 3, 4]);
    expect(readDirectory(DEMO_WORLD).communities.get(2)?.members).toEqual([1, 5, 6]);
  });

  test('follows lists that are replaced', async () => {
    const directory = small();
    const rooms = new MemoryRoomDirectory(directory);
    directory.replaceRoom(5, [2]);
    directory.replaceRoom(8, [1, 3]);
    directory.replaceCommunity(1, [2, 3]);
    expect(await rooms.roomMembers(5)).toEqual([2]);
    expect(await rooms.placesOf(1)).toEqual(['r-6', 'r-8']);
    expect(await rooms.communityMembers(1)).toEqual([2, 3]);
    expect(await rooms.channel(12, { userId: 2 })).toMatchObject({ members: [2], communityId: 1 });
    await expect(rooms.channel(12, { userId: 1 })).rejects.toMatchObject({ code: 'not-permitted' });
  });

  test('keys that are no id, and values of another form, are named, five at most', () => {
    const refused = (world: unknown) => {
      expect(() => readDirectory(world, 'the file')).toThrow(/^the file can't be used: /);
      try {
        readDirectory(world, 'the file');
        return '';
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    };
    expect(refused({ rooms: { five: [1] } })).toContain('"five" is no id');
    expect(refused({ rooms: { 5: [0] } })).toContain('rooms.5.0: 0 is no id');
    expect(refused({ users: { 1: { name: '' } } })).toContain('users.1.name');
    expect(refused({ rooms: { 5: Array.from({ length: 100 }, () => 0) } })).toMatch(
      /rooms\.5\.4: .* and 95 more like these$/,
    );
    expect(refused({ communities: { 1: { members: [1], channels: { 11: 'all' } } } })).toContain('channels.11');
    const twice: DirectoryFile = {
      communities: { 1: { members: [], channels: { 11: null } }, 2: { members: [], channels: { 11: null } } },
    };
    expect(refused(twice)).toContain('channel 11 is in communities 1 and 2');
    expect(refused([])).toContain('the whole');
  });
});

describe('a directory file', () => {
  const folders: string[] = [];
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
  });
  async function file(content: unknown) {
    const folder = await mkdtemp(join(tmpdir(), 'directory-'));
    folders.push(folder);
    const path = join(folder, 'directory.json');
    const write = (changed: unknown) =>
      writeFile(path, typeof changed === 'string' ? changed : JSON.stringify(changed));
    await write(content);
    return { path, write };
  }

  test('that is missing or no JSON stops with its name', async () => {
    expect(() => loadDirectoryFile('/nowhere/directory.json')).toThrow('/nowhere/directory.json');
    const { path } = await file('{"rooms":');
    expect(() => new MemoryDirectory({ path })).toThrow(path);
  });

  test('is read again when it was changed, and a broken one is not taken', async () => {
    const { path, write } = await file(SMALL_WORLD);
    const errors: Error[] = [];
    let now = 0;
    const directory = new MemoryDirectory({ path, now: () => now, onError: (error) => errors.push(error) });
    directory.replaceRoom(6, [3]);
    await write({ ...SMALL_WORLD, rooms: { 5: [1, 2, 3] } });
    expect(directory.room(5)).toEqual([1, 2]);
    now += 1_000;
    expect(directory.room(5)).toEqual([1, 2, 3]);
    expect(directory.room(6)).toBeUndefined();
    await write('{"rooms":');
    now += 1_000;
    expect(directory.room(5)).toEqual([1, 2, 3]);
    expect(errors).toHaveLength(1);
    now += 1_000;
    expect(directory.room(5)).toEqual([1, 2, 3]);
    expect(errors).toHaveLength(1);
    await write({ ...SMALL_WORLD, rooms: { 5: [9] } });
    now += 1_000;
    expect(directory.room(5)).toEqual([9]);
  });
});
