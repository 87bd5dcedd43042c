import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
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
roomDirectoryContract('over REST', async () => {
  const { community, stop } = await standIns();
  return { directory: new RestRoomDirectory(community), stop };
});

userDirectoryContract('in memory', { authoritative: false }, async () => ({
  directory: new MemoryUserDirectory(small()),
  stop,
}));
userDirectoryContract('over REST', { authoritative: true }, async () => {
  const { user, stop } = await standIns();
  return { directory: new RestUserDirectory(user), stop };
});

it('the memory directory is a small demo world if it gets neither a file nor a world', async () => {
  const directory = new MemoryDirectory();
  const names = [...directory.users().values()].map(({ name }) => name);
  expect(names).toEqual(['Ada', 'Grace', 'Linus', 'Margaret', 'Ken', 'Barbara', '지민', '서연']);
  expect(await new MemoryRoomDirectory(directory).roomMembers(7)).toEqual([2, 3, 4]);
  expect(DEMO_WORLD.communities.get(2)?.members).toEqual([1, 5, 6]);
});

it('gives the memory directory each listed user once, and leaves users who are not in the community out of its private channels', async () => {
  const directory = new MemoryDirectory({
    world: { rooms: { 5: [1, '1', 2] }, communities: { 1: { members: [1, 2], channels: { 12: [1, 3] } } } },
  });
  const rooms = new MemoryRoomDirectory(directory);
  expect(await rooms.roomMembers(5)).toEqual([1, 2]);
  expect(await rooms.placesOf(1)).toEqual(['com-1', 'r-5']);
  expect(await rooms.channel(12, { userId: 1 })).toMatchObject({ members: [1], communityId: 1, isPublic: false });
  await expect(rooms.channel(12, { userId: 3 })).rejects.toMatchObject({
    code: 'not-permitted',
    message: 'you are not a member of channel 12',
  });
});

it('accepts the directory file that docs/reference/configuration.md shows', () => {
  const page = readFileSync(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8');
  const [, json = ''] = /```json\n([^`]+)```/.exec(page.slice(page.indexOf('## The directory file'))) ?? [];
  const world = readDirectory(JSON.parse(json));
  expect(world.users.get(2)).toEqual({ name: 'Grace', image: null });
  expect(world.communities.get(1)?.channels).toEqual(
    new Map([
      [11, null],
      [12, [1]],
    ]),
  );
});

function problemsOf(content: unknown): string {
  try {
    readDirectory(content, 'the file');
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message.replace('the file cannot be used: ', '') : String(error);
  }
}

const community = (entry: unknown) => ({ communities: { 1: entry } });
it.each([
  [[], 'the top level: expected an object with users, rooms and communities, found an array'],
  [{ users: [] }, 'users: expected an object with user ids as keys, found an array'],
  [{ users: { 1: 5 } }, 'users.1: expected an object with a name, found 5'],
  [{ users: { 1: {} } }, 'users.1.name: expected a text, found nothing'],
  [{ users: { 1: { name: '' } } }, 'users.1.name: expected a text that is not empty, found ""'],
  [{ users: { 1: { name: 'Ada', image: {} } } }, 'users.1.image: expected a text or null, found an object'],
  [{ rooms: { 5: null } }, 'rooms.5: expected an array of user ids, found null'],
  [{ rooms: { 5: [1, 0] } }, 'rooms.5[1]: expected a positive integer, found 0'],
  [{ rooms: { 5: [true] } }, 'rooms.5[0]: expected a positive integer, found true'],
  [{ rooms: { five: [1] } }, 'rooms.five: expected a room id (a positive integer) as the key, found "five"'],
  [community({}), 'communities.1.members: expected an array of user ids, found nothing'],
  [
    community({ members: [1], channels: { 11: 'all' } }),
    'communities.1.channels.11: expected an array of user ids, or null, found "all"',
  ],
  [{ rooms: { 5: ['x'.repeat(100)] } }, `rooms.5[0]: expected a positive integer, found "${'x'.repeat(39)}...`],
])('refuses the directory %j with its path, the expected and the found value', (content, problem) => {
  expect(problemsOf(content)).toBe(problem);
});

it('names the source and at most five problems of a directory', () => {
  const bad = { rooms: { 5: Array.from({ length: 100 }, () => 0) } };
  expect(() => readDirectory(bad, 'the file')).toThrow(/^the file cannot be used: rooms\.5\[0\]: /);
  expect(problemsOf(bad)).toMatch(/; rooms\.5\[4\]: [^;]+; and 95 more problems$/);
});

it('refuses a directory with a channel in two communities', () => {
  const twice: DirectoryFile = {
    communities: { 1: { members: [], channels: { 11: null } }, 2: { members: [], channels: { 11: null } } },
  };
  expect(problemsOf(twice)).toBe('communities.2.channels.11: expected a new channel id, found one of community 1');
});

async function directoryFile(content: unknown) {
  const folder = await mkdtemp(join(tmpdir(), 'directory-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'directory.json');
  const write = (changed: unknown) => writeFile(path, typeof changed === 'string' ? changed : JSON.stringify(changed));
  await write(content);
  return { path, write };
}

it('names a directory file that does not exist, is not valid JSON or has wrong content', async () => {
  expect(() => loadDirectoryFile('/nowhere/directory.json')).toThrow(
    'the directory file /nowhere/directory.json cannot be read: ENOENT',
  );
  const { path, write } = await directoryFile('{"rooms":');
  expect(() => new MemoryDirectory({ path })).toThrow(`the directory file ${path} is not valid JSON: `);
  await write([]);
  expect(() => new MemoryDirectory({ path })).toThrow(`the directory file ${path} cannot be used: the top level: `);
});

it('reads a directory file that begins with a byte order mark, and repairs names with half a surrogate pair', async () => {
  const users = { 1: { name: 'Ada \ud83d', image: null } };
  const { path } = await directoryFile(`\ufeff${JSON.stringify({ users })}`);
  expect(new MemoryDirectory({ path }).user(1)).toEqual({ name: 'Ada \ufffd', image: null });
});

it('reads a directory file again within a second of a change', async () => {
  const { path, write } = await directoryFile(SMALL_WORLD);
  let now = 0;
  const directory = new MemoryDirectory({ path, now: () => now });
  expect(directory.placesOf(2)).toEqual(['com-1', 'r-5']);
  await write({ ...SMALL_WORLD, rooms: { 5: [1], 7: [2] }, communities: {} });
  now = 999;
  expect(directory.room(5)).toEqual([1, 2]);
  now = 1_000;
  expect(directory.room(5)).toEqual([1]);
  expect(directory.room(6)).toBeUndefined();
  expect(directory.placesOf(2)).toEqual(['r-7']);
  expect(directory.communityOfChannel(11)).toBeUndefined();
});

it('keeps the last valid content of a directory file that was changed to a wrong one, and reports that once', async () => {
  const { path, write } = await directoryFile(SMALL_WORLD);
  const errors: Error[] = [];
  let now = 0;
  const directory = new MemoryDirectory({ path, now: () => now, onError: (error) => errors.push(error) });
  await write('{"rooms":');
  for (now = 1_000; now <= 3_000; now += 1_000) expect(directory.room(5)).toEqual([1, 2]);
  expect(errors).toHaveLength(1);
  await write({ ...SMALL_WORLD, rooms: { 5: [9] } });
  now = 4_000;
  expect(directory.room(5)).toEqual([9]);
});
