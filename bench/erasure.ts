/**
 * Measures the erasure of one user with 10,000 messages, 200 files and 500 replies to them, while
 * others chat, and scans what is left: `npm run bench -- erasure [sqlite|mongo]`.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { startMongo } from '../dev/services/mongo.ts';
import { heading, number, table } from './load/table.ts';
import { startServer, tokenOf } from './load/world.ts';

const [MESSAGES, FILES, REPLIES] = [10_000, 200, 500];
const USER = 777_001;
const OTHER = 777_002;
const ROOMS = new Map(Array.from({ length: 20 }, (_, i) => [i + 1, [USER, OTHER]]));
/** Stands in each text and file of the user. */
const MARK = `mark-${randomBytes(6).toString('hex')}`;
const ADMIN = 'an-admin-token-of-the-bench-with-enough-characters';
const CHAT_EVERY_MS = 20;
const QUIET_MS = 5_000;

const kind = process.argv[2] === 'mongo' ? 'mongo' : 'sqlite';
const mongo = kind === 'mongo' ? await startMongo() : null;
const database = `erasure-${randomBytes(4).toString('hex')}`;
const mongoUrl = mongo === null ? null : mongo.url.replace('/?', `/${database}?`);
const server = await startServer(ROOMS, {
  env: { ADMIN_TOKENS: `bench:${ADMIN}`, ...(mongoUrl !== null && { MONGODB_URL: mongoUrl }) },
});

async function service(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${server.url}/chat-server/service/${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

const say = (i: number, userId: number, content: string, parentId: unknown = null) =>
  service('POST', 'messages', { place: `r-${1 + (i % ROOMS.size)}`, userId, content, parentId });

async function upload(i: number): Promise<void> {
  const form = new FormData();
  const fields = { userId: USER, name: 'x', channelId: 1 + (i % ROOMS.size), type: 'direct', fileType: 'file' };
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  form.set('image', new Blob([`${MARK} ${i} `.repeat(1_000)]), `${MARK}.txt`);
  const headers = { authorization: tokenOf(USER) };
  const answer = await fetch(`${server.url}/chat-server/file`, { method: 'POST', headers, body: form });
  if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
}

/** Runs the task `count` times, some at the same time. */
async function times(count: number, task: (i: number) => Promise<unknown>, atOnce = 32): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** Others chat until the signal. Resolves to the times of their sends, in ms. */
async function chat(signal: AbortSignal): Promise<number[]> {
  const taken: number[] = [];
  const pending: Promise<void>[] = [];
  for (let i = 0; !signal.aborted; i += 1) {
    const began = performance.now();
    pending.push(say(i, OTHER, 'chat').then(() => void taken.push(performance.now() - began)));
    await delay(CHAT_EVERY_MS);
  }
  await Promise.all(pending);
  return taken.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], part: number) => number(sorted[Math.floor(sorted.length * part)] ?? 0, 1);

/** Texts that hold the mark or the user id, over the whole store and all files. */
async function scan(): Promise<{ readonly found: number; readonly files: number }> {
  const needles = [MARK, String(USER)];
  let found = 0;
  const look = (bytes: Buffer) => {
    if (needles.some((needle) => bytes.includes(needle))) found += 1;
  };
  const entries = await readdir(server.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.parentPath.includes('files'));
  for (const entry of files) look(await readFile(join(entry.parentPath, entry.name)));
  if (mongoUrl === null) {
    look(await readFile(join(server.dataDir, 'chat.db')));
  } else {
    await using client = await new MongoClient(mongoUrl).connect();
    for (const { name } of await client.db(database).listCollections().toArray()) {
      for await (const doc of client.db(database).collection(name).find()) look(Buffer.from(JSON.stringify(doc)));
    }
  }
  return { found, files: files.length };
}

heading(`Erasure of a user on ${kind}: ${number(MESSAGES)} messages, ${FILES} files, ${REPLIES} replies to them`);
try {
  const parents: unknown[] = [];
  await times(MESSAGES, async (i) => {
    const { id } = await say(i, USER, `${MARK} ${i}`);
    if (i < REPLIES) parents[i] = id;
  });
  await times(FILES, upload, 4);
  await times(REPLIES, (i) => say(i, OTHER, 'a reply', parents[i]));
  const quiet = await chat(AbortSignal.timeout(QUIET_MS));

  const end = new AbortController();
  const busy = chat(end.signal);
  const began = performance.now();
  let job = await service('DELETE', `users/${USER}?mode=erase`);
  while (job.state !== 'done') {
    await delay(200);
    job = await service('GET', `jobs/${job.id}`);
  }
  const seconds = (performance.now() - began) / 1_000;
  end.abort();
  const during = await busy;
  if (mongoUrl === null) await server.stop();
  const { found, files } = await scan();
  table(
    ['seconds', 'counts', 'found by the scan', 'files left', 'send p50/p99 ms before', 'send p50/p99 ms meanwhile'],
    [
      [
        number(seconds, 1),
        JSON.stringify(job.counts),
        found,
        files,
        `${at(quiet, 0.5)} / ${at(quiet, 0.99)}`,
        `${at(during, 0.5)} / ${at(during, 0.99)}`,
      ],
    ],
  );
} finally {
  await server.dispose();
  await mongo?.stop();
}
process.exit(0);
