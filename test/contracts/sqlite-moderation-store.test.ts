import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteModerationStore } from '../../src/adapters/sqlite/moderation-store.ts';
import { moderationStoreContract } from './moderation-store.ts';

moderationStoreContract('SQLite', async () => {
  const database = await SqliteDatabase.open(':memory:');
  return {
    server: async (now) => new SqliteModerationStore({ database, now }),
    close: () => database.close(),
  };
});
