import { randomBytes } from 'node:crypto';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { append, newPlace, said } from './world.ts';

const TEN_MINUTES = 600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

await describeWithService('mongo', 'servers with different clocks on MongoDB', ({ mongo }) => {
  const database = `clock-${randomBytes(6).toString('hex')}`;

  /** A server whose wall clock differs by `skew` whenever it runs. */
  async function server() {
    const db = await MongoDatabase.connect(mongo, { database });
    const store = new MongoMessageStore({ db, isBackground: false });
    onTestFinished(async () => {
      await store.close();
      await db.client.db(database).dropDatabase();
      await db.close();
    });
    return { db, store, outbox: new MongoOutbox({ db }) };
  }
  function setClock(skew: number): void {
    vi.restoreAllMocks();
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + skew);
  }

  it('counts the age of a batch by the clock of MongoDB, whatever the clocks of the servers say', async () => {
    const [writer, sweeper] = [await server(), await server()];
    const keys = async () => (await sweeper.outbox.unpublished(1_000, 10)).map(({ place }) => place);
    const [ahead, behind] = [newPlace(), newPlace()];
    setClock(TEN_MINUTES);
    await append(writer.store, 1, [said(ahead, 'by a server that is ahead')]);
    setClock(-TEN_MINUTES);
    await append(writer.store, 1, [said(behind, 'by a server that is behind')]);
    for (const skew of [-TEN_MINUTES, 0, TEN_MINUTES]) {
      setClock(skew);
      expect(await keys()).toEqual([]);
    }
    for (const skew of [-TEN_MINUTES, 0, TEN_MINUTES]) {
      setClock(skew);
      await expect.poll(keys, { timeout: 3_000 }).toEqual([ahead, behind]);
    }
  });
});
