/**
 * Measures a history read right behind 5,000 edits and deletions, in MongoDB and in SQLite, in one
 * room and in 200 rooms. Arguments: rounds (20), stores (`mongo,sqlite`), changes (5000).
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMongo } from '../dev/services/mongo.ts';
import { MongoDatabase } from '../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../src/adapters/mongo/message-store.ts';
import { SqliteDatabase } from '../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../src/adapters/sqlite/message-store.ts';
import type { AppendBatch, MessageStore } from '../src/application/ports/message-store.ts';
import { Refusal } from '../src/domain/errors.ts';
import type { ConversationKey } from '../src/domain/place.ts';
import type { Draft } from '../src/domain/stored-event.ts';
import { ProcessMeter } from './load/process-meter.ts';
import { heading, number, spread, table } from './load/table.ts';

const rounds = Number(process.argv[2] ?? 20);
const stores = (process.argv[3] ?? 'mongo,sqlite').split(',');
const CHANGES = Number(process.argv[4] ?? 5_000);
/** Live messages before each burst. */
const MESSAGES = 2 * CHANGES;
const WARM_UP = 1;
/** The events of one batch and of one append, as the server makes them. */
const BATCH = 250;
const APPEND = 1_000;

interface Room {
  readonly place: ConversationKey;
  newest: number;
  live: Draft[];
}

function common(place: ConversationKey) {
  const nonce = randomBytes(6).toString('hex');
  return { place, userId: 2, time: Date.now(), nonce, communityId: null };
}

function message(place: ConversationKey): Draft {
  const id = randomBytes(12).toString('hex');
  return { kind: 'message', ...common(place), id, name: 'user2', profileImage: null, content: 'x'.repeat(100) };
}

/** Every other draft is a deletion. All of them are about different messages. */
function changesOf(room: Room, count: number): Draft[] {
  for (let i = 0; i < count; i += 1) {
    const other = i + Math.floor(Math.random() * (room.live.length - i));
    const [a, b] = [room.live[i], room.live[other]];
    if (a !== undefined && b !== undefined) [room.live[i], room.live[other]] = [b, a];
  }
  const targets = room.live.slice(0, count);
  room.live = room.live.filter((_, i) => i >= count || i % 2 === 0);
  return targets.map(({ id, place }, i): Draft => {
    if (i % 2 === 1) return { kind: 'delete', ...common(place), id };
    return { kind: 'modify', ...common(place), id, content: 'y'.repeat(100) };
  });
}

/** Stores the drafts of each room in its order, many rooms in one append. */
async function storeAll(store: MessageStore, drafts: ReadonlyMap<Room, Draft[]>): Promise<void> {
  const waiting = new Map([...drafts].map(([room, list]) => [room, [...list]]));
  while (waiting.size > 0) {
    const batches: AppendBatch[] = [];
    let events = 0;
    for (const [room, list] of waiting) {
      const next = list.splice(0, BATCH);
      batches.push({ place: room.place, first: room.newest + 1, drafts: next });
      room.newest += next.length;
      events += next.length;
      if (list.length === 0) waiting.delete(room);
      if (events >= APPEND) break;
    }
    const outcomes = await store.append(batches);
    if (outcomes.some(({ kind }) => kind !== 'stored')) throw new Error(JSON.stringify(outcomes));
  }
}

/** Reads until the store answers in time. Returns how often it did not. */
async function page(store: MessageStore, { place }: Room): Promise<number> {
  for (let refused = 0; ; refused += 1) {
    try {
      await store.history(place, { kind: 'page', page: 0, size: 50 });
      return refused;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'try-again') throw error;
    }
  }
}

/** Of each burst, in milliseconds: its appends, the read behind it, and the CPU of both. */
interface Measured {
  readonly stored: number[];
  readonly read: number[];
  readonly cpu: number[];
  /** Reads that got no answer in time. */
  readonly refused: number[];
}

async function measure({ store, pids }: Subject, count: number): Promise<Measured> {
  const base = Math.floor(Math.random() * 1e9);
  const rooms = Array.from({ length: count }, (_, i): Room => ({ place: `r-${base + i}`, newest: 0, live: [] }));
  const measured: Measured = { stored: [], read: [], cpu: [], refused: [] };
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const fresh = new Map<Room, Draft[]>();
    for (const room of rooms) {
      const missing = Math.ceil(MESSAGES / count) - room.live.length;
      if (missing > 0)
        fresh.set(
          room,
          Array.from({ length: missing }, () => message(room.place)),
        );
    }
    await storeAll(store, fresh);
    for (const [room, drafts] of fresh) {
      room.live.push(...drafts);
      await page(store, room);
    }
    const changes = new Map(rooms.map((room) => [room, changesOf(room, Math.ceil(CHANGES / count))]));
    const meter = new ProcessMeter([process.pid, ...pids]);
    const began = performance.now();
    await storeAll(store, changes);
    const asked = performance.now();
    const last = rooms.at(-1);
    const refused = last === undefined ? 0 : await page(store, last);
    const answered = performance.now();
    const { cpu } = meter.stop();
    if (round < 0) continue;
    measured.refused.push(refused);
    measured.stored.push(asked - began);
    measured.read.push(answered - asked);
    measured.cpu.push((cpu[0] ?? 0) * 1_000);
  }
  return measured;
}

interface Subject {
  readonly store: MessageStore;
  /** Processes beside this one whose CPU counts. */
  readonly pids: readonly number[];
}

type Use = (subject: Subject) => Promise<void>;

async function withMongo(use: Use): Promise<void> {
  const mongo = await startMongo({ cacheGb: 1 });
  try {
    const db = await MongoDatabase.connect(mongo.url, { database: `bursts-${randomBytes(4).toString('hex')}` });
    const store = new MongoMessageStore({ db });
    await use({ store, pids: mongo.pid === undefined ? [] : [mongo.pid] });
    await store.close();
    await db.close();
  } finally {
    await mongo.stop();
  }
}

async function withSqlite(use: Use): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-bench-'));
  try {
    const database = await SqliteDatabase.open(join(folder, 'chat.db'));
    const store = new SqliteMessageStore({ database });
    await use({ store, pids: [] });
    await store.close();
    await database.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const at = (values: readonly number[], part: number) =>
  number([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0, 1);

heading(`A history read behind ${number(CHANGES)} edits and deletions, ${rounds} bursts each`);
const rows: string[][] = [];
for (const name of stores) {
  await (name === 'mongo' ? withMongo : withSqlite)(async (subject) => {
    for (const count of [1, 200]) {
      const { stored, read, cpu, refused } = await measure(subject, count);
      rows.push([name, String(count), spread(stored), spread(read, 1), at(read, 0.99), spread(cpu), spread(refused)]);
    }
  });
}
table(['store', 'rooms', 'stored after ms', 'read behind them ms', 'p99', 'CPU ms a burst', 'reads refused'], rows);
process.exit(0);
