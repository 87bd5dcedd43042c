import { randomBytes } from 'node:crypto';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { describeWithService } from '../support/services/shared.ts';
import { historyContract } from './history.ts';
import { messageStoreContract } from './message-store.ts';
import { outboxContract } from './outbox.ts';
import { readMarkersContract } from './read-markers.ts';
import type { Server, ServerOptions, World } from './world.ts';

/** A database of its own; each server has a connection of its own, as if it were another process. */
async function mongoWorld(url: string): Promise<World> {
  const database = `contract-${randomBytes(6).toString('hex')}`;
  const opened: { db: MongoDatabase; store: MongoMessageStore }[] = [];
  return {
    async server({ now, idle }: ServerOptions = {}): Promise<Server> {
      const db = await MongoDatabase.connect(url, { database });
      const store = new MongoMessageStore(db, { ...(now && { now }), background: !idle });
      opened.push({ db, store });
      return { store, outbox: new MongoOutbox(db, now), markers: new MongoReadMarkers(db, store) };
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
  messageStoreContract('MongoDB', world, { believesNumbersAhead: true });
  historyContract('MongoDB', world);
  outboxContract('MongoDB', world);
  readMarkersContract('MongoDB', world);
});
