import { randomBytes } from 'node:crypto';
import { ReadConcern } from 'mongodb';
import { afterEach, expect, it, vi } from 'vitest';
import { FaultProxy } from '../../dev/fault-proxy.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { expectedPlace, expectPlace, extend } from './bursts.ts';
import { deleted, edited, newPlace, said } from './world.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

await describeWithService('mongo', 'a burst of edits and deletions in MongoDB', ({ mongo }) => {
  const database = `bursts-${randomBytes(6).toString('hex')}`;

  async function open(url: string) {
    const db = await MongoDatabase.connect(url, { database });
    const store = new MongoMessageStore({ db, isBackground: false });
    cleanups.push(() => db.close());
    cleanups.push(() => store.close());
    return { db, store, outbox: new MongoOutbox({ db }), markers: new MongoReadMarkers({ db, store }) };
  }

  it('is applied once when the server that applies it dies in the middle', { timeout: 30_000 }, async () => {
    const reader = await open(mongo);
    cleanups.push(() => reader.db.client.db(database).dropDatabase());
    const proxy = await FaultProxy.start({ target: Number(new URL(mongo).port || 27017), delayMs: 100 });
    cleanups.push(() => proxy.stop());
    const dying = await open(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
    const expected = expectedPlace(newPlace());
    const drafts = Array.from({ length: 500 }, (_, i) => said(expected.place, `m${i}`));
    for (const at of [0, 250]) await extend(reader.store, new Map([[expected, drafts.slice(at, at + 250)]]));
    await expectPlace(reader, expected);
    const changes = drafts.map((of, i) => (i % 2 === 0 ? deleted(of) : edited(of, `new ${i}`)));
    for (const at of [0, 250]) await extend(dying.store, new Map([[expected, changes.slice(at, at + 250)]]));
    await proxy.setMode('slow');
    const page = dying.store.history(expected.place, { kind: 'page', page: 0, size: 9 });
    page.catch(() => {});
    const admin = reader.db.client.db('admin', { readConcern: new ReadConcern('local') });
    const isWriting = async () => {
      const open = { $match: { 'transaction.parameters.txnNumber': { $exists: true } } };
      const found = await admin.aggregate([{ $currentOp: { idleSessions: true } }, open]).toArray();
      return found.length > 0;
    };
    await vi.waitUntil(isWriting, { interval: 5, timeout: 10_000 });
    proxy.cut();
    await proxy.setMode('refuse');
    await expectPlace(reader, expected);
    await expect(page).rejects.toMatchObject({ code: 'try-again' });
  });
});
