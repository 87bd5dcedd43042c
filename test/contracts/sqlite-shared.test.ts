import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DatabaseHost } from '../../src/adapters/sqlite/database-host.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { SharedDatabase } from '../../src/adapters/sqlite/shared-database.ts';
import type { FromStore, ToStore } from '../../src/adapters/sqlite/shared-protocol.ts';
import { StoredEvents } from '../../src/adapters/sqlite/stored-events.ts';
import { Peer } from '../../src/adapters/support/processes/peer.ts';
import { Heard } from '../support/heard.ts';
import { historyContract } from './history.ts';
import { messageStoreContract } from './message-store.ts';
import { outboxContract } from './outbox.ts';
import { readMarkersContract } from './read-markers.ts';
import { append, newPlace, numbered, said, type World } from './world.ts';

let lastServer = 0;

/** Servers of several processes, which share one file. */
async function sharedWorld(): Promise<World> {
  const host = await openHost();
  const opened: SharedDatabase[] = [];
  return {
    async server({ now } = {}) {
      const database = await SharedDatabase.open({ path: host.path, server: `server-${++lastServer}` });
      opened.push(database);
      return {
        store: new SqliteMessageStore({ database, now }),
        outbox: new SqliteOutbox({ database, now }),
        markers: new SqliteReadMarkers({ database }),
      };
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      await host.close();
    },
  };
}

interface OpenHost {
  readonly path: string;
  /** Ends the process that owns the file, and begins another one. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

async function openHost(): Promise<OpenHost> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-shared-'));
  const [file, path] = [join(folder, 'chat.db'), join(folder, 'store.sock')];
  let host = await DatabaseHost.open(file, path);
  const start = async () => {
    host = await DatabaseHost.open(file, path);
  };
  return {
    path,
    start,
    stop: () => host.close(),
    async restart() {
      await host.close();
      await start();
    },
    async close() {
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

messageStoreContract('SQLite of another process', sharedWorld);
historyContract('SQLite of another process', sharedWorld);
outboxContract('SQLite of another process', sharedWorld);
readMarkersContract('SQLite of another process', sharedWorld);

describe('a SQLite file that several processes share', () => {
  let host: OpenHost;
  const opened: SharedDatabase[] = [];
  beforeEach(async () => {
    host = await openHost();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
    await host.close();
  });

  async function connect(server: string) {
    const database = await SharedDatabase.open({ path: host.path, server });
    opened.push(database);
    const events = new StoredEvents(server);
    const heard = new Heard();
    events.listen(heard.handler);
    database.onStored((batches) => events.others(batches));
    const store = new SqliteMessageStore({ database, onStored: (batch, first) => events.own(batch, first) });
    return { database, store, heard };
  }

  it('brings the events of one process to all, in the order in which they were stored, each once', async () => {
    const [one, two, three] = [await connect('one'), await connect('two'), await connect('three')];
    const place = newPlace();
    const drafts = Array.from({ length: 40 }, (_, i) => said(place, `text ${i}`));
    const appended = drafts.map((draft, i) =>
      (i % 2 === 0 ? one : two).store.append([{ place, first: 1, drafts: [draft], isMovable: true }]),
    );
    await Promise.all(appended);
    const stored = await three.store.eventsAfter(place, 0, 100);

    expect(stored).toHaveLength(40);
    expect(await three.heard.count(40)).toEqual(stored);
    for (const { heard } of [one, two]) {
      const events = await heard.count(40);
      expect(events.toSorted((a, b) => ('seq' in a && 'seq' in b ? a.seq - b.seq : 0))).toEqual(stored);
    }
    const writers = three.heard.records.map(({ server }) => server);
    expect(writers.filter((server) => server === 'one')).toHaveLength(20);
  });

  it('a record says its numbers before its batch is decoded', async () => {
    const [one, two] = [await connect('one'), await connect('two')];
    const place = newPlace('c');
    await append(one.store, 1, [said(place, 'one'), said(place, 'two')]);
    await two.heard.count(2);
    const seen = two.heard.records.map(({ key, server, seq, batchEnd }) => ({ key, server, seq, batchEnd }));
    expect(seen).toEqual([1, 2].map((seq) => ({ key: place, server: 'one', seq, batchEnd: 2 })));
    expect(two.heard.records[0]?.read()).toBe(two.heard.records[0]?.read());
  });

  it('a record has the position of its event in a trace, which is not stored', async () => {
    const [one, two] = [await connect('one'), await connect('two')];
    const place = newPlace();
    const drafts = [said(place, 'one'), said(place, 'two')];
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await one.store.append([{ place, first: 1, drafts, traces: [null, trace] }]);
    const third = said(place, 'three');
    await append(one.store, 3, [third]);
    await two.heard.count(3);
    expect(two.heard.records.map((record) => record.trace)).toEqual([null, trace, null]);
    expect(await two.store.eventsAfter(place, 0, 10)).toEqual(numbered(1, [...drafts, third]));
  });

  it('a server has heard its own event when its append is answered', async () => {
    const { store, heard } = await connect('one');
    const drafts = [said(newPlace(), 'one')];
    await append(store, 1, drafts);
    expect(heard.events()).toEqual(numbered(1, drafts));
  });

  it('calls wait for the next owner of the file, and what was stored is still there', async () => {
    const { store } = await connect('one');
    const place = newPlace();
    const drafts = [said(place, 'one')];
    await append(store, 1, drafts);
    await host.stop();
    const read = store.eventsAfter(place, 0, 10);
    const newest = store.newest([place]);
    await host.start();
    expect(await read).toEqual(numbered(1, drafts));
    expect(await newest).toEqual(new Map([[place, 1]]));
  });

  it('an append that was under way when the owner ended has failed or is stored, and is not repeated', async () => {
    const { store } = await connect('one');
    const place = newPlace();
    const appended = Array.from({ length: 50 }, (_, i) =>
      store.append([{ place, first: 1, drafts: [said(place, `${i}`)], isMovable: true }]),
    );
    await host.restart();
    const outcomes = (await Promise.all(appended)).flat();
    const kinds = outcomes.map(({ kind }) => kind);
    expect(kinds.every((kind) => kind === 'stored' || kind === 'failed')).toBe(true);
    const { length } = await store.eventsAfter(place, 0, 100);
    expect(length).toBeGreaterThanOrEqual(kinds.filter((kind) => kind === 'stored').length);
    expect(length).toBeLessThanOrEqual(50);
    expect(await append(store, length + 1, [said(place, 'after')])).toEqual({ kind: 'stored' });
  });

  it('a closed database serves the calls made before', async () => {
    const { database, store } = await connect('one');
    const place = newPlace();
    const last = append(store, 1, [said(place, 'last')]);
    await database.close();
    expect(await last).toEqual({ kind: 'stored' });
    await expect(store.newest([place])).rejects.toMatchObject({ code: 'try-again' });
  });
});

it('refuses a write whose answer is lost, and makes reads and marks again at the next owner', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-lost-'));
  const path = join(folder, 'store.sock');
  const arrived: string[][] = [];
  // An owner that ends when the first calls have arrived.
  const owner = createServer((socket) => {
    const names: string[] = [];
    arrived.push(names);
    const peer = new Peer<ToStore, FromStore>(socket, {
      onMessage(message) {
        if (message.kind === 'join') return peer.send({ kind: 'joined' });
        names.push(...message.calls.map(({ name }) => name));
        if (arrived.length === 1) peer.destroy();
        else peer.send({ kind: 'answers', answers: message.calls.map(({ id }) => ({ id, result: null })) });
      },
      onClosed: () => {},
    });
  });
  await new Promise<void>((resolve) => owner.listen(path, resolve));
  const database = await SharedDatabase.open({ path, server: 'one' });
  onTestFinished(async () => {
    await database.close();
    owner.close();
    await rm(folder, { recursive: true, force: true });
  });
  const turn = database.call('takeTurn', 'r-5', 7, 1_000, 0);
  const append = database.call('append', [], 0);
  const repeated = Promise.all([database.call('newest', ['r-5']), database.call('published', [])]);
  await expect(turn).rejects.toMatchObject({ code: 'try-again' });
  await expect(append).rejects.toMatchObject({ code: 'try-again' });
  await repeated;
  expect(arrived).toEqual([
    ['takeTurn', 'append', 'newest', 'published'],
    ['newest', 'published'],
  ]);
});
