import { randomBytes } from 'node:crypto';
import { describeWithService } from '../../dev/services/shared.ts';
import { MongoDatabase } from '../../src/adapters/mongo/database.ts';
import { MongoJobStore } from '../../src/adapters/mongo/job-store.ts';
import { MongoMessageStore } from '../../src/adapters/mongo/message-store.ts';
import { MongoOutbox } from '../../src/adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../../src/adapters/mongo/read-markers.ts';
import { MongoStoredData } from '../../src/adapters/mongo/stored-data.ts';
import { jobStoreContract } from './job-store.ts';
import { storedDataContract } from './stored-data.ts';

await describeWithService('mongo', 'MongoDB for jobs', ({ mongo }) => {
  storedDataContract('MongoDB', async () => {
    const database = `data-${randomBytes(6).toString('hex')}`;
    const opened: { db: MongoDatabase; store: MongoMessageStore }[] = [];
    return {
      async server() {
        const db = await MongoDatabase.connect(mongo, { database });
        const store = new MongoMessageStore({ db });
        opened.push({ db, store });
        return {
          store,
          outbox: new MongoOutbox({ db }),
          markers: new MongoReadMarkers({ db, store }),
          data: new MongoStoredData({ db, store }),
        };
      },
      async close() {
        await Promise.all(opened.map(({ store }) => store.close()));
        await opened[0]?.db.client.db(database).dropDatabase();
        await Promise.all(opened.map(({ db }) => db.close()));
      },
    };
  });
  jobStoreContract('MongoDB', async () => {
    const database = `jobs-${randomBytes(6).toString('hex')}`;
    const db = await MongoDatabase.connect(mongo, { database });
    return {
      jobs: new MongoJobStore({ db }),
      async close() {
        await db.client.db(database).dropDatabase();
        await db.close();
      },
    };
  });
});
