import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { expect, it, vi } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import type { RemovedEnd } from '../../src/adapters/mongo/log-ends.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { Unread } from '../../src/adapters/mongo/unread.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import { burstContract } from './bursts.ts';
import { historyContract } from './history.ts';
import { messageStoreContract } from './message-store.ts';
import { outboxContract } from './outbox.ts';
import { readMarkersContract } from './read-markers.ts';
import { type RemovalWorld, removalContract } from './removal.ts';
import { append, deleted, newPlace, type Server, type ServerOptions, said } from './world.ts';

/** A new database. Each server has its own connection, like a process of its own. */
async function mongoWorld(url: string): Promise<RemovalWorld> {
  const database = `contract-${randomBytes(6).toString('hex')}`;
  const opened: { db: MongoDatabase; store: MongoMessageStore }[] = [];
  return {
    async server({ now, idle }: ServerOptions = {}): Promise<Server> {
      const db = await MongoDatabase.connect(url, { database });
      const store = new MongoMessageStore({ db, now, isBackground: !idle });
      opened.push({ db, store });
      return { store, outbox: new MongoOutbox({ db, now }), markers: new MongoReadMarkers({ db, store }) };
    },
    async remove(place, from, to) {
      await opened[0]?.db.events.deleteMany({ p: place, f: { $gte: from }, l: { $lte: to } });
    },
    async close() {
      await Promise.all(opened.map(({ store }) => store.close()));
      await opened[0]?.db.client.db(database).dropDatabase();
      await Promise.all(opened.map(({ db }) => db.close()));
    },
  };
}

await describeWithService('mongo', 'MongoDB', ({ mongo }) => {
  const world = () => mongoWorld(mongo);
  messageStoreContract('MongoDB', world, { trustsNumbersAhead: true });
  historyContract('MongoDB', world);
  burstContract('MongoDB', world);
  outboxContract('MongoDB', world);
  readMarkersContract('MongoDB', world);
  removalContract('MongoDB', world, { removesUnderServers: true });

  it('reports a batch that MongoDB refuses as refused, reads on, and stores again afterwards', async () => {
    const database = `contract-${randomBytes(6).toString('hex')}`;
    const db = await MongoDatabase.connect(mongo, { database });
    const store = new MongoMessageStore({ db });
    const native = db.client.db(database);
    try {
      const place = newPlace();
      await append(store, 1, [said(place, 'kept')]);
      await store.history(place, { kind: 'page', page: 0, size: 9 });
      await native.command({ collMod: 'event', validator: { never: true } });
      const outcome = await append(store, 2, [said(place, 'refused')]);
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'store-failed' } });
      const page = await store.history(place, { kind: 'page', page: 0, size: 9 });
      expect(page.entries.map(({ message }) => message.content)).toEqual(['kept']);
      await native.command({ collMod: 'event', validator: {} });
      expect(await append(store, 2, [said(place, 'again')])).toEqual({ kind: 'stored' });
    } finally {
      await store.close();
      await native.dropDatabase();
      await db.close();
    }
  });

  it('counts unread messages as they were at a number, without the holes that later events made', async () => {
    const database = `contract-${randomBytes(6).toString('hex')}`;
    const db = await MongoDatabase.connect(mongo, { database });
    const store = new MongoMessageStore({ db });
    try {
      const place = newPlace();
      const drafts = Array.from({ length: 2_000 }, (_, i) => said(place, 'x', { userId: i % 2 === 0 ? 1 : 2 }));
      await append(store, 1, drafts);
      const gone = drafts.filter((_, i) => i === 3 || i === 1_800);
      await append(
        store,
        2_001,
        gone.map((draft) => deleted(draft)),
      );
      await store.settle(new Map([[place, 2_002]]));
      // Their numbers alone are counted: a room of 60,000 numbers, 12 of which are holes.
      const large = newPlace();
      await db.holes.insertOne({ _id: large, t: 12, s: 59_999, n: { 0: 5, 1: 2, 57: 5 } });
      const count = async (of: ConversationKey, read: number, seq: number) => {
        const position = { place: of, read, since: null, unnumberedSince: null, seq };
        return (await new Unread(db).count(2, [position])).get(of)?.count;
      };
      // The messages of the other user have odd numbers. Numbers 4 and 1,801 were deleted.
      expect(await count(place, 2, 2_002)).toBe(998);
      expect(await count(place, 2, 1_500)).toBe(749);
      expect(await count(place, 1_100, 2_002)).toBe(449);
      expect(await count(place, 1_100, 1_900)).toBe(399);
      expect(await count(place, 1_900, 2_000)).toBe(50);
      expect(await count(place, 2_002, 2_002)).toBe(0);
      expect(await count(large, 5_000, 60_000)).toBe(54_995);
      expect(await count(large, 59_500, 60_000)).toBe(500);
    } finally {
      await store.close();
      await db.client.db(database).dropDatabase();
      await db.close();
    }
  });

  it('gives no number again when a running server remembers numbers that a restore took back', async () => {
    const database = `contract-${randomBytes(6).toString('hex')}`;
    const ends: RemovedEnd[] = [];
    const open = async () => {
      const db = await MongoDatabase.connect(mongo, { database });
      return { db, store: new MongoMessageStore({ db, isBackground: false, onRemovedEnd: (end) => ends.push(end) }) };
    };
    const running = await open();
    const place = newPlace();
    for (const seq of [1, 2, 3, 4, 5]) await append(running.store, seq, [said(place, `m${seq}`)]);
    await running.store.history(place, { kind: 'page', page: 0, size: 9 });
    await running.db.events.deleteMany({ p: place, f: { $gt: 2 } });
    await running.db.messagesOf(place).deleteMany({ seq: { $gt: 2 } });
    expect(await running.store.newest([place])).toEqual(new Map([[place, 5]]));
    expect(ends).toEqual([{ place, from: 3, to: 5 }]);
    const fresh = await open();
    expect(await fresh.store.newest([place])).toEqual(new Map([[place, 5]]));
    expect(await append(fresh.store, 6, [said(place, 'next')])).toEqual({ kind: 'stored' });
    expect((await running.store.eventsAfter(place, 0, 9)).map(({ kind, seq }) => [kind, seq])).toEqual([
      ['message', 1],
      ['message', 2],
      ['unknown', 5],
      ['message', 6],
    ]);
    expect(ends).toHaveLength(1);
    for (const { store } of [running, fresh]) await store.close();
    await fresh.db.client.db(database).dropDatabase();
    for (const { db } of [running, fresh]) await db.close();
  });

  it('stores an append once and reports it as stored when the answer of MongoDB is lost', async () => {
    const database = `contract-${randomBytes(6).toString('hex')}`;
    const direct = new URL(mongo);
    const proxy = await FaultProxy.start({ target: Number(direct.port || 27017), delayMs: 300 });
    const db = await MongoDatabase.connect(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, { database });
    const store = new MongoMessageStore({ db, isBackground: false });
    const watcher = await new MongoClient(mongo).connect();
    const events = watcher.db(database).collection('event');
    try {
      const place = newPlace();
      expect(await append(store, 1, [said(place, 'opens the connection')])).toEqual({ kind: 'stored' });
      await proxy.setMode('slow');
      const outcome = append(store, 2, [said(place, 'once')]);
      // The document is stored, and its answer takes another 300 ms.
      await vi.waitUntil(async () => (await events.countDocuments({ f: 2 })) === 1, { interval: 5, timeout: 5_000 });
      proxy.cut();
      await proxy.setMode('pass');
      expect(await outcome).toEqual({ kind: 'stored' });
      expect((await store.eventsAfter(place, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2]);
    } finally {
      await store.close();
      await db.close();
      await watcher.db(database).dropDatabase();
      await watcher.close();
      await proxy.stop();
    }
  });
});
