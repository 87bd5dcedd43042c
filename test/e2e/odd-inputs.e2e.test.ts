import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsonwebtoken from 'jsonwebtoken';
import { MongoClient } from 'mongodb';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serviceOrSkip } from '../../dev/services/shared.ts';
import { SystemTelemetry } from '../../src/adapters/system/telemetry.ts';
import { ChatServer } from '../../src/bootstrap/chat-server.ts';
import { readConfig } from '../../src/bootstrap/config/read-config.ts';
import { holdOddConversation } from '../support/odd-conversation.ts';
import { WORLD } from './system.ts';

const INPUTS = 1_000;
/** Another seed makes other inputs: `ODD_SEED=7 npx vitest run test/e2e/odd-inputs.e2e.test.ts`. */
const SEED = Number(process.env.ODD_SEED ?? 12);

/** A server in this process, whose wall clock the test moves. */
async function start(env: Readonly<Record<string, string>>) {
  let ahead = 0;
  const now = Date.now.bind(Date);
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
  const folder = await mkdtemp(join(tmpdir(), 'chat-odd-'));
  const directory = join(folder, 'directory.json');
  await writeFile(directory, JSON.stringify(WORLD));
  const secret = randomBytes(48);
  const own = { PORT: '0', DATA_DIR: folder, DIRECTORY_FILE: directory, JWT_SECRET: secret.toString('base64') };
  const { config, secrets } = readConfig({ ...own, LIMITS: 'off', ...env });
  const errors: string[] = [];
  const telemetry = SystemTelemetry.create({ level: 'error', destination: { write: (line) => errors.push(line) } });
  const server = await ChatServer.start({ config, secrets, telemetry });
  onTestFinished(async () => {
    await server.stop();
    clock.mockRestore();
    await rm(folder, { recursive: true, force: true });
  });
  const token = (id: number) => jsonwebtoken.sign({ id }, secret, { subject: `user${id}`, expiresIn: '1d' });
  const jump = (ms: number) => {
    ahead += ms;
  };
  return { url: server.url, token, jump, errors };
}

async function talk(env: Readonly<Record<string, string>>): Promise<void> {
  const { url, token, jump, errors } = await start(env);
  const users = [1, 2].map((id) => ({ id, name: `user${id}`, token: token(id) }));
  await holdOddConversation({
    url,
    users,
    seed: SEED,
    inputs: INPUTS,
    roomId: 5,
    channel: { communityId: 1, id: 11 },
    jump,
  });
  expect(errors).toEqual([]);
}

it('shows 1,000 odd inputs the same live, replayed and in the history, on SQLite', () => talk({}));

it('shows 1,000 odd inputs the same live, replayed and in the history, on MongoDB', async (context) => {
  const url = new URL(await serviceOrSkip(context, 'mongo'));
  url.pathname = `/odd-${randomBytes(5).toString('hex')}`;
  onTestFinished(async () => {
    const client = await new MongoClient(url.href).connect();
    await client.db().dropDatabase();
    await client.close();
  });
  await talk({ MONGODB_URL: url.href });
});
