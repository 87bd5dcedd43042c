import { expect, it, onTestFinished } from 'vitest';
import { MemoryDirectory } from '../../../src/adapters/memory/directory.ts';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../../src/adapters/sqlite/message-store.ts';
import { SqliteReadMarkers } from '../../../src/adapters/sqlite/read-markers.ts';
import { SystemClock } from '../../../src/adapters/system/clock.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { readScript } from '../../../src/bootstrap/demo/script.ts';
import { type SeedParts, seedDemo } from '../../../src/bootstrap/demo/seed.ts';
import { reasonAgainstSamples } from '../../../src/bootstrap/demo/welcome.ts';
import type { ConversationKey } from '../../../src/domain/place.ts';
import { temporaryFiles } from '../../support/embedded-application.ts';

const PLACES: readonly ConversationKey[] = ['c-11', 'c-12', 'r-5', 'r-6', 'r-7', 'c-21', 'c-31'];

async function emptyParts(): Promise<SeedParts> {
  const database = await SqliteDatabase.open(':memory:');
  onTestFinished(() => database.close());
  return {
    store: new SqliteMessageStore({ database }),
    markers: new SqliteReadMarkers({ database }),
    files: (await temporaryFiles()).store,
    world: new MemoryDirectory(),
    ids: new SystemIdSource(),
    clock: new SystemClock(),
  };
}

const historyOf = async ({ store }: SeedParts, place: ConversationKey) =>
  (await store.history(place, { kind: 'page', page: 0, size: 200 })).entries;

it('fills the demo with some hundred messages, replies, edits and files, in the order of their times', async () => {
  const parts = await emptyParts();
  expect(await seedDemo(parts)).toBe(PLACES.length);
  const all = await Promise.all(PLACES.map((place) => historyOf(parts, place)));
  for (const entries of all) {
    const times = entries.map(({ message }) => message.time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
  }
  const entries = all.flat();
  expect(entries.length).toBeGreaterThan(250);
  expect(entries.filter(({ parent }) => parent !== null).length).toBeGreaterThan(20);
  expect(entries.filter(({ message }) => message.edited).length).toBeGreaterThan(2);
  const file = entries.find(({ message }) => message.type === 'image')?.message;
  const picture = await parts.files.get(file?.content ?? '');
  expect(picture).toMatchObject({ contentType: 'image/png', fileName: file?.fileName, size: file?.fileSize });
});

it('changes nothing when the demo is filled a second time', async () => {
  const parts = await emptyParts();
  await seedDemo(parts);
  const before = await parts.store.newest(PLACES);
  expect(await seedDemo(parts)).toBe(0);
  expect(await parts.store.newest(PLACES)).toEqual(before);
});

it('leaves a place of the demo alone that has messages already', async () => {
  const parts = await emptyParts();
  const draft = {
    kind: 'message',
    place: 'r-5',
    id: parts.ids.messageId(),
    userId: 1,
    name: 'Ada',
    profileImage: null,
    time: 0,
    nonce: null,
    communityId: null,
    content: 'mine',
  } as const;
  await parts.store.append([{ place: 'r-5', first: 1, drafts: [draft] }]);
  expect(await seedDemo(parts)).toBe(PLACES.length - 1);
  expect((await historyOf(parts, 'r-5')).map(({ message }) => message.content)).toEqual(['mine']);
});

it('leaves some messages of the demo unread for everybody', async () => {
  const parts = await emptyParts();
  await seedDemo(parts);
  const counts = await parts.markers.unread(1, PLACES);
  expect(counts.find(({ place }) => place === 'c-11')?.count).toBeGreaterThan(2);
  expect(counts.find(({ place }) => place === 'r-5')?.count).toBe(0);
});

it('refuses a line of a sample conversation that has none of the forms', () => {
  expect(() => readScript('Ada says hello', 0)).toThrow('not a line of a sample conversation: Ada says hello');
});

it.each([
  { env: {}, reason: null },
  { env: { DEMO: 'off' }, reason: 'DEMO is off' },
  { env: { WORKERS: '2' }, reason: 'WORKERS is set' },
  {
    env: { DEMO: 'on', JWT_SECRET: 'x'.repeat(40), MONGODB_URL: 'mongodb://a/b' },
    reason: 'a real service is configured',
  },
  { env: { COMMUNITY_URL: 'http://a' }, reason: 'the members do not come from the demo world' },
  { env: { DIRECTORY_FILE: 'world.json' }, reason: 'the members do not come from the demo world' },
])('fills the demo only on embedded parts and with the demo world: $env', ({ env, reason }) => {
  expect(reasonAgainstSamples(readConfig(env).config)).toBe(reason);
});
