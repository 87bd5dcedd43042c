import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { historyContract } from './history.ts';
import { messageStoreContract } from './message-store.ts';
import { outboxContract } from './outbox.ts';
import { readMarkersContract } from './read-markers.ts';
import type { World } from './world.ts';

/** One process owns the file, so the servers of a test are several stores on one database. */
async function sqlite(): Promise<World> {
  const db = await SqliteDatabase.open(':memory:');
  return {
    async server({ now } = {}) {
      return {
        store: new SqliteMessageStore({ database: db, now }),
        outbox: new SqliteOutbox({ database: db, now }),
        markers: new SqliteReadMarkers({ database: db }),
      };
    },
    close: () => db.close(),
  };
}

messageStoreContract('SQLite', sqlite);
historyContract('SQLite', sqlite);
outboxContract('SQLite', sqlite);
readMarkersContract('SQLite', sqlite);
