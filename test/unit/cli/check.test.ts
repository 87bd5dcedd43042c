import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { SqliteDatabase } from '../../../src/adapters/sqlite/database.ts';
import { runCommand } from './run-command.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-test-check-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

/** A port of loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const check = (env: Record<string, string> = {}) => runCommand(['check', '--connect'], { DATA_DIR: folder, ...env });

it('names all mistakes of the configuration at once, with exit code 2', async () => {
  const { code, err } = await runCommand(['check'], { PORT: 'x', KAFKA_BROKERS: '127.0.0.1:9092' });
  expect(code).toBe(2);
  expect(err).toContain('PORT must be');
  expect(err).toContain('JWT_SECRET is missing');
});

it('shows warnings and succeeds when the configuration is valid', async () => {
  const { code, out, err } = await runCommand(['check'], { KAFKA_BROKER: '127.0.0.1:9092' });
  expect({ code, out }).toEqual({ code: 0, out: 'the configuration is valid\n' });
  expect(err).toBe(
    'chat-server check: warning: KAFKA_BROKER is not a variable of this server and is ignored; do you mean KAFKA_BROKERS?\n',
  );
});

it('creates nothing when it asks the parts of an embedded server', async () => {
  const { code, out } = await check({ DATA_DIR: join(folder, 'data') });
  expect(code).toBe(0);
  expect(out).toContain(`sqlite: ${join(folder, 'data/chat.db')} does not exist yet; the start creates it`);
  await expect(rm(join(folder, 'data'))).rejects.toThrow('ENOENT');
});

it('sees the file of a running server, and the schema of one that is not in use', async () => {
  const database = await SqliteDatabase.open(join(folder, 'chat.db'));
  expect((await check()).out).toContain('chat.db is in use by a running server');
  await database.close();
  expect((await check()).out).toMatch(/chat\.db has schema \d+\n/);
});

it('names each part that does not answer with its variable, one line each', async () => {
  const port = await closedPort();
  const { code, err, out } = await check({
    JWT_SECRET: Buffer.alloc(48, 7).toString('base64'),
    MONGODB_URL: `mongodb://user:hidden@127.0.0.1:${port}/chat`,
    REDIS_URL: `redis://user:hidden@127.0.0.1:${port}`,
    PRESENCE_URL: `tcp://127.0.0.1:${port}`,
    COMMUNITY_URL: `http://127.0.0.1:${port}`,
    USER_URL: `http://127.0.0.1:${port}`,
    NOTIFICATION_URL: `http://127.0.0.1:${port}`,
    FILES_URL: 's3://bucket/prefix',
    S3_ENDPOINT: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'hidden',
  });
  expect(code).toBe(1);
  const refused = `cannot connect to 127.0.0.1:${port} (connection refused)`;
  expect(err.trim().split('\n')).toEqual([
    `chat-server check: mongodb: MONGODB_URL: ${refused}`,
    `chat-server check: files: FILES_URL: ${refused}`,
    `chat-server check: redis: REDIS_URL: ${refused}`,
    `chat-server check: presence: PRESENCE_URL: ${refused}`,
    `chat-server check: community: COMMUNITY_URL: ${refused}`,
    `chat-server check: user: USER_URL: ${refused}`,
    `chat-server check: notification: NOTIFICATION_URL: ${refused}`,
  ]);
  expect(out).toContain('parts that cannot be used: 7');
  expect(`${out}${err}`).not.toContain('hidden');
}, 30_000);

it('reads the directory file, and says what is wrong with it', async () => {
  const file = join(folder, 'directory.json');
  await writeFile(file, '{"users":{"1":{"name":"Ada"}},"rooms":{"5":[1]},"communities":{}}');
  expect((await check({ DIRECTORY_FILE: file })).out).toContain(`${file} has 1 users, 1 rooms and 0 communities`);
  await writeFile(file, '{"users":[]}');
  const { code, err } = await check({ DIRECTORY_FILE: file });
  expect(code).toBe(1);
  expect(err).toMatch(/^chat-server check: directory file: DIRECTORY_FILE: .*users: .*\n$/);
});

it('says that the data folder is a file', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  expect((await check({ DATA_DIR: file })).err).toContain(`data folder: DATA_DIR: ${file} is not a folder`);
});
