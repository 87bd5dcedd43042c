import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoModerationStore } from '../../src/adapters/mongo/moderation-store.ts';
import { type ModerationWorld, moderationStoreContract } from './moderation-store.ts';

await describeWithService('mongo', 'MongoDB', ({ mongo }) => {
  async function world(): Promise<ModerationWorld> {
    const database = `contract-${randomBytes(6).toString('hex')}`;
    const opened: MongoDatabase[] = [];
    return {
      async server(now) {
        const db = await MongoDatabase.connect(mongo, { database });
        opened.push(db);
        return new MongoModerationStore({ db, now });
      },
      async close() {
        await opened[0]?.client.db(database).dropDatabase();
        await Promise.all(opened.map((db) => db.close()));
      },
    };
  }

  moderationStoreContract('MongoDB', world);

  it('shows the number of an order whose kind only a newer server knows', async () => {
    const db = await MongoDatabase.connect(mongo, { database: `contract-${randomBytes(6).toString('hex')}` });
    try {
      const store = new MongoModerationStore({ db });
      await db.orders.insertOne({
        _id: 1,
        subject: 'shadow-ban/1',
        ends: null,
        admin: 'ops',
        at: new Date(5),
        order: { kind: 'shadow-ban', userId: 1 },
      });
      expect(await store.ordersAfter(0, 9)).toEqual([{ seq: 1, order: null, admin: 'ops', at: 5 }]);
      expect(await store.append({ kind: 'unban', userId: 1 }, 'ops')).toBe(2);
    } finally {
      await db.orders.drop();
      await db.close();
    }
  });
});
