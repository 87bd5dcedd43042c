import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { StompClient } from '../../../dev/stomp-client.ts';
import { FolderFileStore } from '../../../src/adapters/files/folder-file-store.ts';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { SystemTelemetry } from '../../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../../src/bootstrap/chat-server.ts';
import { readConfig } from '../../../src/bootstrap/config/read-config.ts';
import { runCommand } from './run-command.ts';

const WORLD = { users: {}, rooms: { '5': [1, 2] }, communities: {} };

let folder: string;
let env: Record<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-backup-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'world.json'), JSON.stringify(WORLD));
  env = { DATA_DIR: join(folder, 'data'), DIRECTORY_FILE: join(folder, 'world.json'), LIMITS: 'off', PORT: '0' };
});

const backUp = (...more: string[]) => runCommand(['backup', '--to', join(folder, 'copy'), ...more], env);
const restore = (...more: string[]) => runCommand(['restore', '--from', join(folder, 'copy'), ...more], env);

async function startServer(): Promise<ChatServer> {
  const { config, secrets } = readConfig(env);
  const server = await ChatServer.start({ config, secrets, telemetry: SystemTelemetry.create({ level: 'silent' }) });
  onTestFinished(() => server.stop());
  return server;
}

async function connect(server: ChatServer): Promise<StompClient> {
  const { out } = await runCommand(['token', '--user', '1'], env);
  const client = await StompClient.connect({ url: server.url, token: out.trim(), userId: 1 });
  onTestFinished(() => client.close());
  return client;
}

const say = (client: StompClient, content: string) =>
  client.send('/kafka/send-direct-message', { channelId: 5, userId: 1, name: 'a', profileImage: null, content });

/** The texts of the room, oldest first, as a server of these variables shows them. */
async function textsOf(server: ChatServer): Promise<string[]> {
  const { out } = await runCommand(['token', '--user', '1'], env);
  const answer = await fetch(`${server.url}/chat-server/direct?ch_id=5&size=200&after=0`, {
    headers: { authorization: out.trim() },
  });
  const { result } = (await answer.json()) as { result: { message: string }[] };
  return result.map(({ message }) => message);
}

it('copies a running server to one moment while users go on writing, and restores it elsewhere', async () => {
  const server = await startServer();
  const client = await connect(server);
  for (let i = 1; i <= 50; i++) await say(client, `text ${i}`);
  const files = new FolderFileStore(join(folder, 'data/files'));
  await files.put('abcdefgh-1', one('picture'), { fileName: 'a.txt' });
  let isWriting = true;
  const writing = (async () => {
    for (let i = 51; isWriting; i++) await say(client, `text ${i}`);
  })();
  const { code, out, err } = await backUp();
  isWriting = false;
  await writing;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/copy: \d+ messages and \d+ events in 1 places\n.*copy: 1 files, 0\.0 MB\n$/);
  expect((await readdir(join(folder, 'copy'))).sort()).toEqual([
    ...['backup.json', 'chat.db', 'files', 'jwt-secret', 'server-id'],
  ]);
  await server.stop();

  env.DATA_DIR = join(folder, 'elsewhere');
  expect(await restore()).toMatchObject({ code: 0, err: '' });
  const texts = await textsOf(await startServer());
  expect(texts.length).toBeGreaterThanOrEqual(50);
  expect(texts).toEqual(texts.map((_, i) => `text ${i + 1}`));
  const restored = await new FolderFileStore(join(folder, 'elsewhere/files')).get('abcdefgh-1');
  expect(restored).toMatchObject({ fileName: 'a.txt', size: 7 });
});

it('copies the file of a stopped server, and leaves its schema and the file as they are', async () => {
  const server = await startServer();
  await say(await connect(server), 'one');
  await server.stop();
  const before = await readFile(join(folder, 'data/chat.db'));
  expect(await backUp('--no-files')).toMatchObject({ code: 0, err: expect.stringContaining('the files are not in') });
  expect((await readFile(join(folder, 'data/chat.db'))).equals(before)).toBe(true);
  expect(existsSync(join(folder, 'copy/files'))).toBe(false);
});

it('writes no backup over another one, and none without a database', async () => {
  expect((await backUp()).err).toBe(`chat-server backup: DATA_DIR: ${join(folder, 'data/chat.db')} does not exist\n`);
  await (await SqliteDatabase.open(join(folder, 'data/chat.db'))).close();
  expect((await backUp()).code).toBe(0);
  const { code, err } = await backUp();
  expect(code).toBe(1);
  expect(err).toContain('copy exists already; give a new folder');
  expect((await readdir(folder)).sort()).toEqual(['copy', 'data', 'world.json']);
});

it('says that a file is in use where no server answers for it', async () => {
  const database = await SqliteDatabase.open(join(folder, 'data/chat.db'));
  onTestFinished(() => database.close());
  const { code, err } = await backUp();
  expect(code).toBe(1);
  expect(err).toContain('chat.db is in use by another process, and no server answers in');
  expect(existsSync(join(folder, 'copy'))).toBe(false);
});

it('refuses to back up MongoDB, and names the tools for it', async () => {
  env = { ...env, MONGODB_URL: 'mongodb://127.0.0.1:9/chat', JWT_SECRET: Buffer.alloc(48).toString('base64') };
  for (const { code, err } of [await backUp(), await restore()]) {
    expect(code).toBe(1);
    expect(err).toContain('MONGODB_URL is set: the messages are in MongoDB; use mongodump and mongorestore');
  }
});

it('restores over a database only with --replace, keeps the earlier one, and never under a running server', async () => {
  const server = await startServer();
  const client = await connect(server);
  await say(client, 'kept');
  await backUp();
  await say(client, 'later');
  expect((await restore('--replace')).err).toContain('chat.db is in use; stop the server first');
  await server.stop();
  expect((await restore()).err).toContain('chat.db exists; give --replace to rename it');
  const { code, out } = await restore('--replace');
  expect(code).toBe(0);
  expect(out).toMatch(/chat\.db\.before-\d{8}T\d{6}Z: the earlier database\n/);
  expect(await textsOf(await startServer())).toEqual(['kept']);
});

it('replaces a damaged database', async () => {
  await (await SqliteDatabase.open(join(folder, 'data/chat.db'))).close();
  await backUp();
  await writeFile(join(folder, 'data/chat.db'), 'this is not a database');
  expect(await restore('--replace')).toMatchObject({ code: 0 });
  await (await SqliteDatabase.open(join(folder, 'data/chat.db'))).close();
});

it('restores no incomplete, damaged or foreign backup', async () => {
  await (await SqliteDatabase.open(join(folder, 'data/chat.db'))).close();
  await backUp();
  await rm(join(folder, 'data'), { recursive: true });
  const copy = join(folder, 'copy/chat.db');
  const manifest = join(folder, 'copy/backup.json');
  const [bytes, text] = [await readFile(copy), await readFile(manifest, 'utf8')];
  await writeFile(manifest, text.replace('"events": 0', '"events": 3'));
  expect((await restore()).err).toContain('chat.db has 0 events, but its manifest says 3');
  await writeFile(manifest, text.replace('"format": 1', '"format": 2'));
  expect((await restore()).err).toContain('is not the manifest of a backup that this version can read');
  await rm(manifest);
  expect((await restore()).err).toContain('copy is not a complete backup (backup.json: ENOENT)');
  await writeFile(manifest, text);
  await writeFile(copy, bytes.fill(7, 4_096, 8_192));
  expect(await restore()).toMatchObject({ code: 1, err: expect.stringMatching(/damaged|malformed/) });
  expect(existsSync(join(folder, 'data/chat.db'))).toBe(false);
});

it('opens the socket for backups for the user of the server only, and removes it at the stop', async () => {
  const server = await startServer();
  const socket = join(folder, 'data/backup.sock');
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  await server.stop();
  expect(existsSync(socket)).toBe(false);
});

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
