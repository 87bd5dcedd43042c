import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { unlimited } from '../../../dev/unlimited.ts';
import { FolderFileStore } from '../../../src/adapters/files/folder-file-store.ts';
import { JwtTokenIssuer } from '../../../src/adapters/jwt/token-issuer.ts';
import { JwtTokenVerifier } from '../../../src/adapters/jwt/token-verifier.ts';
import { MemoryDirectory } from '../../../src/adapters/memory/directory.ts';
import { MemoryMemberCache } from '../../../src/adapters/memory/member-cache.ts';
import { MemoryBroker } from '../../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../../src/adapters/memory/message-bus.ts';
import { NoNotifier } from '../../../src/adapters/memory/no-notifier.ts';
import { MemoryRoomDirectory } from '../../../src/adapters/memory/room-directory.ts';
import { MemorySessionReporter } from '../../../src/adapters/memory/session-reporter.ts';
import { MemoryUserDirectory } from '../../../src/adapters/memory/user-directory.ts';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../../src/adapters/sqlite/read-markers.ts';
import { SystemClock } from '../../../src/adapters/system/clock.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import { createApplication, type RunningApplication } from '../../../src/application/create-application.ts';
import { json, type Running, refused, serve } from './harness.ts';

const KEYS = { secrets: ['a secret of thirty-two characters'], encoding: 'utf8' } as const;
const issuer = new JwtTokenIssuer(KEYS);
const asUser = (id: number) => ({ authorization: `Bearer ${issuer.issue(id, `user${id}`, 3600)}` });

interface Whole extends Running {
  readonly app: RunningApplication;
  readonly files: string;
}

/** A server of the demo world: rooms 5 (users 1, 2) and 6 (1, 3), community 1 with channel 11 for users 1 to 4. */
async function whole(): Promise<Whole> {
  const files = await mkdtemp(join(tmpdir(), 'chat-test-whole-'));
  const store = new FolderFileStore(files);
  await store.open();
  const database = await SqliteDatabase.open(':memory:');
  const directory = new MemoryDirectory();
  const clock = new SystemClock();
  const bus = new MemoryMessageBus(new MemoryBroker(), 'server-1');
  const app = createApplication(
    'server-1',
    {
      bus,
      store: new SqliteMessageStore(database),
      outbox: new SqliteOutbox(database),
      markers: new SqliteReadMarkers(database),
      reporter: new MemorySessionReporter(),
      directory: new MemoryRoomDirectory(directory),
      memberCache: new MemoryMemberCache(),
      tokens: new JwtTokenVerifier(KEYS),
      users: new MemoryUserDirectory(directory),
      notifier: new NoNotifier(),
      files: store,
      subscribers: {
        deliver() {},
        count: () => 0,
        places: () => [],
        callers: () => [],
        remove() {},
      },
      clock,
      ids: new SystemIdSource(),
      random: Math.random,
      telemetry: new RecordedTelemetry(),
    },
    { ...unlimited, uploadBytes: 100_000 },
  );
  await app.start();
  onTestFinished(async () => {
    await app.stop(1_000);
    await bus.close();
    await database.close();
    await rm(files, { recursive: true });
  });
  const running = await serve({ ...app }, { clock, limits: { uploadBytes: 100_000 } });
  return { ...running, app, files };
}

async function say(server: Whole, userId: number, content: string): Promise<string> {
  const caller = server.app.authenticate(asUser(userId).authorization.slice('Bearer '.length), null);
  const message = { roomId: 5, name: null, profileImage: null, content, nonce: null };
  return (await (await server.app.sendDirectMessage(caller, message)).result).id;
}

function form(fields: Record<string, string>, bytes: string): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append('image', new Blob([bytes]), 'notes.txt');
  return data;
}

const FIELDS = { userId: '1', channelId: '5', type: 'direct', fileType: 'file' };

test('what is said is in the history of members, and nobody else reads it', async () => {
  const server = await whole();
  const first = await say(server, 1, 'hello');
  await say(server, 2, 'hi');
  const read = (user: number, query: string) => fetch(`${server.url}/chat-server/${query}`, { headers: asUser(user) });

  const response = await read(2, 'direct?ch_id=5');
  expect(response.headers.get('chat-seq')).toBe('2');
  expect(await response.json()).toMatchObject({
    result: [
      { id: first, name: 'Ada', userId: 1, message: 'hello', seq: 1, edited: false, type: null, fileType: null },
      { name: 'Grace', userId: 2, message: 'hi', seq: 2 },
    ],
  });
  expect(await (await read(2, 'direct?ch_id=5&before=2&size=1')).json()).toMatchObject({ result: [{ id: first }] });
  expect(await json(read(3, 'direct?ch_id=5'))).toEqual(refused(2103));
  expect(await json(read(1, 'direct?ch_id=99'))).toEqual(refused(2103));
  expect(await json(read(5, 'community?ch_id=11'))).toEqual(refused(2103));
  expect(await (await read(2, 'unread?places=r-5')).json()).toMatchObject({
    result: [{ place: 'r-5', count: 1, seq: 2 }],
  });
  expect(await json(read(2, `unread?places=${'r-5,'.repeat(200)}r-5`))).toEqual(refused(2100));
  const body = '{"userId":2,"roomIds":[7,5]}';
  const counts = fetch(`${server.url}/chat-server/message-count`, { method: 'POST', body });
  expect(await (await counts).json()).toEqual([
    { roomId: 5, count: 1, localDateTime: expect.stringMatching(/^20\d{15}$/) },
    { roomId: 7, count: 0, localDateTime: null },
  ]);
});

test('a file goes in and comes out, once however often it is sent', async () => {
  const server = await whole();
  const send = (user: number, fields: Record<string, string>, bytes: string) =>
    json(fetch(`${server.url}/chat-server/file`, { method: 'POST', body: form(fields, bytes), headers: asUser(user) }));
  const first = await send(1, { ...FIELDS, nonce: 'n1' }, 'one');
  expect(first).toMatchObject({ status: 200, body: { result: { seq: 1 } } });
  expect(await send(1, { ...FIELDS, nonce: 'n1' }, 'two')).toEqual(first);

  const history = await fetch(`${server.url}/chat-server/direct?ch_id=5`, { headers: asUser(2) });
  const { result } = (await history.json()) as { result: { message: string; fileType: string }[] };
  expect(result).toMatchObject([{ fileType: 'file', name: 'Ada', nonce: 'n1', seq: 1 }]);
  const file = await fetch(result[0]?.message ?? '');
  expect(await file.text()).toBe('one');
  expect(file.headers.get('content-disposition')).toContain('attachment; filename="notes.txt"');

  expect(await send(3, { ...FIELDS, userId: '3' }, 'three')).toEqual(refused(2103));
  expect(await send(1, FIELDS, 'x'.repeat(100_001))).toEqual(refused(2413));
  const kept = await readdir(server.files, { recursive: true, withFileTypes: true });
  expect(kept.filter((entry) => entry.isFile())).toHaveLength(2);
});

test('a deleted file is gone with its message, and its link with it', async () => {
  const server = await whole();
  const body = form(FIELDS, 'secret');
  const sent = await json(fetch(`${server.url}/chat-server/file`, { method: 'POST', body, headers: asUser(1) }));
  const { id, message } = (sent.body as { result: { id: string; message: string } }).result;
  expect((await fetch(message)).status).toBe(200);
  const caller = server.app.authenticate(asUser(1).authorization.slice('Bearer '.length), null);
  await (await server.app.deleteMessage(caller, { place: 'r-5', id, communityId: null, nonce: null })).result;
  await vi.waitFor(async () => expect((await fetch(message)).status).toBe(404));
  const kept = await readdir(server.files, { recursive: true, withFileTypes: true });
  expect(kept.filter((entry) => entry.isFile())).toEqual([]);
});

test('new members read at once, and those who left no more', async () => {
  const server = await whole();
  await say(server, 1, 'hello');
  const read = async (user: number) =>
    (await fetch(`${server.url}/chat-server/direct?ch_id=5`, { headers: asUser(user) })).status;
  expect([await read(2), await read(3)]).toEqual([200, 400]);
  await fetch(`${server.url}/chat-server/room-user-list/5`, { method: 'PUT', body: '[1,3]' });
  expect([await read(2), await read(3)]).toEqual([400, 200]);
});
