import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { EarlierUnprojected, project } from '../../src/adapters/mongo/projection.ts';
import { SystemIdSource } from '../../src/adapters/system/id-source.ts';
import { append, deleted, newPlace, said } from './world.ts';

await describeWithService('mongo', 'a projection that MongoDB lost in a crash', ({ mongo }) => {
  const database = `lost-${randomBytes(6).toString('hex')}`;
  const client = new MongoClient(mongo);
  let db: MongoDatabase;
  let store: MongoMessageStore;
  beforeAll(async () => {
    await client.connect();
    db = await MongoDatabase.connect(mongo, { database });
    store = new MongoMessageStore({ db, isBackground: false });
  });
  afterAll(async () => {
    await store?.close();
    await db?.close();
    await client.db(database).dropDatabase();
    await client.close();
  });

  it('refuses a deletion while the batch of its message is unprojected, and applies both for a reader', async () => {
    const place = newPlace();
    const message = said(place, 'to delete', { id: new SystemIdSource().messageId() });
    await append(store, 1, [message]);
    await append(store, 2, [deleted(message)]);
    const [, deletion] = await db.events.find({ p: place }).sort({ f: 1 }).toArray();
    if (deletion === undefined) throw new Error('the deletion is not stored');
    await expect(project(db, [deletion])).rejects.toThrow(EarlierUnprojected);
    expect(await db.events.countDocuments({ p: place, proj: true })).toBe(2);
    const page = await store.history(place, { kind: 'page', page: 0, size: 10 });
    expect(page).toEqual({ entries: [], seq: 2 });
    expect(await db.events.countDocuments({ p: place, proj: true })).toBe(0);
  });
});
