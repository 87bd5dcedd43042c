import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { NO_FILE_FACTS } from '../../src/domain/file.ts';
import { takeBackSchema } from '../support/older-schema.ts';
import { append, FACTS, newPlace, said, shared } from './world.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-sqlite-'));
  file = join(folder, 'chat.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/**
 * The code of a process that appends to room 5 until it is killed. It prints each stored number.
 */
const WRITER = `
const { SqliteDatabase } = await import(process.argv[1]);
const { SqliteMessageStore } = await import(process.argv[2]);
const store = new SqliteMessageStore({ database: await SqliteDatabase.open(process.argv[3]) });
const draft = (i) => ({ kind: 'message', place: 'r-5', id: i.toString(16).padStart(24, '0'), userId: 1, time: i,
  nonce: String(i), communityId: null, name: 'Ada', profileImage: null, content: 'number ' + i });
for (let i = 1; ; i += 2) {
  const [outcome] = await store.append([{ place: 'r-5', first: i, drafts: [draft(i), draft(i + 1)] }]);
  console.log(outcome.kind === 'stored' ? i + 1 : outcome);
}`;

function startWriter() {
  const modules = ['database', 'message-store'].map(
    (name) => new URL(`../../src/adapters/sqlite/${name}.ts`, import.meta.url).href,
  );
  const args = ['--input-type=module', '--disable-warning=ExperimentalWarning', '-e', WRITER, ...modules, file];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

it('keeps every stored event when its process is killed, and lets only one process use the file', async () => {
  const writer = startWriter();
  let output = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await expect.poll(() => output.split('\n').length, { timeout: 8000 }).toBeGreaterThan(100);
  await expect(SqliteDatabase.open(file)).rejects.toThrow(`${file} is in use by another process`);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  const last = Number(output.trimEnd().split('\n').at(-1));
  expect(last).toBeGreaterThan(100);

  const db = await SqliteDatabase.open(file);
  const store = new SqliteMessageStore({ database: db });
  const newest = (await store.newest(['r-5'])).get('r-5') ?? 0;
  expect(newest).toBeGreaterThanOrEqual(last);
  const events = await store.eventsAfter('r-5', 0, 1_000_000);
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length: newest }, (_, i) => i + 1));
  const page = await store.history('r-5', { kind: 'page', page: 0, size: 3 });
  expect(page.entries.map(({ message }) => message.content)).toEqual([2, 1, 0].map((i) => `number ${newest - i}`));
  await db.close();
});

it('opens a file that it closed, and refuses one that is not a database or has a newer schema', async () => {
  const place = newPlace();
  const first = await SqliteDatabase.open(file);
  await append(new SqliteMessageStore({ database: first }), 1, [said(place, 'kept')]);
  await first.close();
  await first.close();
  await expect(new SqliteMessageStore({ database: first }).newest([place])).rejects.toMatchObject({
    code: 'try-again',
  });
  expect((await append(new SqliteMessageStore({ database: first }), 2, [said(place, 'x')])).kind).toBe('failed');

  const second = await SqliteDatabase.open(file);
  expect(await new SqliteMessageStore({ database: second }).newest([place])).toEqual(new Map([[place, 1]]));
  await second.close();

  const raw = new DatabaseSync(file);
  raw.exec("UPDATE meta SET value = 99 WHERE key = 'schema'");
  raw.close();
  await expect(SqliteDatabase.open(file)).rejects.toThrow(/which a newer version wrote/);
  await writeFile(file, 'this is not a database, but it is long enough to be read as one'.repeat(100));
  await expect(SqliteDatabase.open(file)).rejects.toThrow(/^cannot open /);
});

it('reads files of a database of schema 2, which had no data of files, and shares new ones in it', async () => {
  const place = newPlace();
  const first = await SqliteDatabase.open(file);
  await append(new SqliteMessageStore({ database: first }), 1, [shared(place, 'old')]);
  await first.close();
  const raw = new DatabaseSync(file);
  takeBackSchema(raw, 2);
  raw.close();

  const second = await SqliteDatabase.open(file);
  const store = new SqliteMessageStore({ database: second });
  await append(store, 2, [shared(place, 'new')]);
  const expected = [
    { content: 'old', ...NO_FILE_FACTS },
    { content: 'new', ...FACTS },
  ];
  expect(await store.eventsAfter(place, 0, 10)).toMatchObject(expected);
  const { entries } = await store.history(place, { kind: 'page', page: 0, size: 10 });
  expect(entries.map(({ message }) => message)).toMatchObject(expected);
  await second.close();
});

it('fails a call that cannot be served, and stores the writes that arrived with it', async () => {
  const db = await SqliteDatabase.open(':memory:');
  const store = new SqliteMessageStore({ database: db });
  const [place, other] = [newPlace(), newPlace()];
  const [good, bad, read] = await Promise.all([
    append(store, 1, [said(place, 'good')]),
    append(store, 1, [said(other, 'bad', { userId: Number.NaN })]),
    store.newest([place]),
  ]);
  expect(good).toEqual({ kind: 'stored' });
  expect(bad.kind).toBe('failed');
  expect(read.get(place)).toBe(1);
  expect(await store.newest([other])).toEqual(new Map([[other, 0]]));
  await db.close();
});

it('creates the folder of the file', async () => {
  const database = await SqliteDatabase.open(join(folder, 'not', 'there', 'chat.db'));
  await expect(database.call('newest', ['r-5'])).resolves.toEqual(new Map([['r-5', 0]]));
  await database.close();
});
