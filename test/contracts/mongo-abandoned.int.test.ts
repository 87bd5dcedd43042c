import { randomBytes } from 'node:crypto';
import { MongoClient, ReadConcern } from 'mongodb';
import { afterEach, expect, it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { APP_NAME, MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import type { Draft } from '../../src/domain/stored-event.ts';
import { append, deleted, newPlace, replied, said } from './world.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

await describeWithService('mongo', 'a transaction of a server that died', ({ mongo }) => {
  async function open(database: string): Promise<{ db: MongoDatabase; store: MongoMessageStore }> {
    const db = await MongoDatabase.connect(mongo, { database });
    const store = new MongoMessageStore({ db, isBackground: false });
    cleanups.push(async () => {
      await store.close();
      await db.client.db(database).dropDatabase();
      await db.close();
    });
    return { db, store };
  }

  /** Claims the batches of a place like the projection, and leaves the transaction open. */
  async function leaveTransactionOpen(database: string, place: ConversationKey, appName: string): Promise<MongoClient> {
    const client = new MongoClient(mongo, { appName });
    cleanups.push(() => client.close());
    const session = client.startSession();
    session.startTransaction();
    const events = client.db(database).collection('event');
    await events.updateMany({ p: place }, { $unset: { proj: '' } }, { session });
    return client;
  }

  async function appendThree(store: MongoMessageStore, place: ConversationKey): Promise<readonly Draft[]> {
    const drafts = [said(place, 'one'), said(place, 'two'), said(place, 'three')];
    expect(await append(store, 1, drafts)).toEqual({ kind: 'stored' });
    return drafts;
  }

  it('shows the history within its timeout although a dead server left a transaction open', async () => {
    const database = `abandoned-${randomBytes(6).toString('hex')}`;
    const { store } = await open(database);
    const place = newPlace();
    const drafts = await appendThree(store, place);
    await leaveTransactionOpen(database, place, APP_NAME);
    const { entries } = await store.history(place, { kind: 'page', page: 0, size: 10 });
    expect(entries.map(({ message }) => message.id)).toEqual(drafts.map(({ id }) => id));
  });

  it('removes a deleted message from the replies to it although a dead server left a transaction open', async () => {
    const database = `abandoned-${randomBytes(6).toString('hex')}`;
    const { store } = await open(database);
    const place = newPlace();
    const message = said(place, 'one');
    const reply = { ...replied(place, 'two', message.id), parentContent: 'one' };
    expect(await append(store, 1, [message, reply])).toEqual({ kind: 'stored' });
    await leaveTransactionOpen(database, place, APP_NAME);
    expect(await append(store, 3, [deleted(message)])).toEqual({ kind: 'stored' });
    const { entries } = await store.history(place, { kind: 'page', page: 0, size: 10 });
    expect(entries.map(({ message }) => message.id)).toEqual([reply.id]);
    expect((await store.eventsAfter(place, 1, 1))[0]).toMatchObject({ id: reply.id, parentContent: null });
  });

  it('does not end the transactions of other programs in the same MongoDB', async () => {
    const database = `abandoned-${randomBytes(6).toString('hex')}`;
    const { db, store } = await open(database);
    const place = newPlace();
    await appendThree(store, place);
    const other = await leaveTransactionOpen(database, place, 'somebody-else');
    await expect(store.history(place, { kind: 'page', page: 0, size: 10 })).rejects.toThrow('does not answer');
    const found = await db.client
      .db('admin', { readConcern: new ReadConcern('local') })
      .aggregate([
        { $currentOp: { idleSessions: true } },
        { $match: { appName: 'somebody-else', type: 'idleSession' } },
      ])
      .toArray();
    expect(found).toHaveLength(1);
    await other.close();
    expect((await store.history(place, { kind: 'page', page: 0, size: 10 })).entries).toHaveLength(3);
  });
});
