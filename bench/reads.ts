/**
 * Measures reads from MongoDB: pages of 50 in a room of a million messages at 500 requests/s, and
 * unread counts of 200 rooms. Arguments: runs (3), messages of the large room (1000000), pages a
 * second (500).
 */
import { MongoClient } from 'mongodb';
import { eventDocument, messageDocument } from '../src/adapters/mongo/documents.ts';
import type { ConversationKey } from '../src/domain/place.ts';
import type { Draft, MessageCreated } from '../src/domain/stored-event.ts';
import { type Ask, type HttpLoaded, httpLoad } from './load/http-load.ts';
import { startServices } from './load/services.ts';
import { heading, number, say, spread, table } from './load/table.ts';
import { pidOf, startServer, tokenOf } from './load/world.ts';

const [runs = 3, size = 1_000_000, pages = 500] = process.argv.slice(2).map(Number);
const PAGE = 50;
const BATCH = 250;
const SMALL = 200;
const READER = 1;
const rooms = new Map(Array.from({ length: SMALL + 1 }, (_, i) => [i + 1, [READER, 2]]));

function draftsOf(place: ConversationKey, first: number, count: number): (Draft & MessageCreated)[] {
  return Array.from({ length: count }, (_, i) => {
    const seq = first + i;
    const id = (Number(place.slice(2)) * 100_000_000 + seq).toString(16).padStart(24, '0');
    const content = `number ${seq} ${'x'.repeat(100)}`;
    const author = { userId: 2, name: 'user2', profileImage: null, nonce: null, communityId: null };
    return { kind: 'message', place, id, seq, time: 1_700_000_000_000 + seq * 1000, content, ...author };
  });
}

/** Writes the documents that a server would have stored, directly. */
async function fill(url: string): Promise<void> {
  const client = await new MongoClient(url).connect();
  const events = client.db().collection('event');
  const messages = client.db().collection<{ _id: never }>('directMessage');
  const write = async (place: ConversationKey, first: number, count: number): Promise<void> => {
    const drafts = draftsOf(place, first, count);
    const { out: _, proj: __, ...batch } = eventDocument(place, first, drafts, Date.now());
    await Promise.all([
      events.insertOne(batch),
      messages.insertMany(drafts.map((event) => messageDocument(event, null)) as never[], {
        ordered: false,
        writeConcern: { w: 1 },
      }),
    ]);
  };
  for (let room = 2; room <= SMALL + 1; room += 1) await write(`r-${room}`, 1, 40);
  for (let first = 1; first <= size; first += BATCH * 8) {
    const starts = Array.from({ length: 8 }, (_, i) => first + i * BATCH).filter((start) => start <= size);
    await Promise.all(starts.map((start) => write('r-1', start, Math.min(BATCH, size - start + 1))));
  }
  await client.close();
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function entriesOf(answer: unknown): unknown[] {
  const { result } = answer as { result?: unknown };
  if (!Array.isArray(result)) throw new Error(`no list: ${JSON.stringify(answer).slice(0, 200)}`);
  return result;
}

function isPage(answer: unknown): void {
  if (entriesOf(answer).length !== PAGE) throw new Error(`a page has ${entriesOf(answer).length} entries`);
}

const small = Array.from({ length: SMALL }, (_, i) => i + 2);
const page = (query: string): Ask => ({ path: `/chat-server/direct?ch_id=1&size=${PAGE}&${query}` });
const kinds: readonly (readonly [string, number, () => Ask, (answer: unknown) => void])[] = [
  ['the first page', pages, () => page('page=0'), isPage],
  ['any page', pages, () => page(`page=${random(size / PAGE - 1)}`), isPage],
  ['before any number', pages, () => page(`before=${PAGE + 1 + random(size - PAGE)}`), isPage],
  [
    'unread of 200 places',
    pages / 10,
    () => ({ path: `/chat-server/unread?places=${small.map((room) => `r-${room}`).join()}` }),
    (answer) => {
      if (entriesOf(answer).length !== SMALL) throw new Error('not all places');
    },
  ],
  [
    'message-count of 200 rooms',
    pages / 10,
    () => ({
      path: '/chat-server/message-count',
      isService: true,
      body: JSON.stringify({ userId: READER, roomIds: small }),
    }),
    (answer) => {
      if (!Array.isArray(answer) || answer.length !== SMALL) throw new Error('not all rooms');
    },
  ],
];

const services = await startServices(1);
try {
  const env = services.fresh();
  heading(`Reads: MongoDB, a room of ${number(size)} messages, ${SMALL} rooms of 40`);
  // The start of a server creates the collections and their indexes.
  const server = await startServer(rooms, { env, id: `bench-${process.pid}` });
  const filling = performance.now();
  await fill(env.MONGODB_URL ?? '');
  say(`filled in ${number((performance.now() - filling) / 1000)} s\n`);
  const pids = [[pidOf(server)], services.mongoPids];
  const rows: (string | number)[][] = [];
  for (const [name, rate, next, check] of kinds) {
    const list: HttpLoaded[] = [];
    for (let run = 0; run < runs; run += 1) {
      list.push(
        await httpLoad({ port: server.port, token: tokenOf(READER), rate, pids, next, check, warmUp: 6, seconds: 8 }),
      );
    }
    const perRequest = (who: number) => list.map(({ usage }) => ((usage.cpu[who] ?? 0) * 1e6) / (rate * usage.seconds));
    rows.push([
      name,
      rate,
      spread(
        list.map(({ latency }) => latency.at(0.5)),
        1,
      ),
      spread(
        list.map(({ latency }) => latency.at(0.99)),
        1,
      ),
      spread(perRequest(0)),
      spread(perRequest(1)),
      list.map(({ failed }) => failed).join(' '),
      spread(
        list.map(({ usage }) => usage.others),
        2,
      ),
    ]);
  }
  table(['', 'requests/s', 'p50 ms', 'p99 ms', 'server µs a request', 'mongod', 'failed', 'others, cores'], rows);
  await server.stop();
  await server.dispose();
} finally {
  await services.stop();
}
process.exit(0);
