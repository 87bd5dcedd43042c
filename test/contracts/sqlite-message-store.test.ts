import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteJobStore } from '../../src/adapters/sqlite/job-store.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { SqliteStoredData } from '../../src/adapters/sqlite/stored-data.ts';
import { burstContract } from './bursts.ts';
import { historyContract } from './history.ts';
import { jobStoreContract } from './job-store.ts';
import { messageStoreContract } from './message-store.ts';
import { outboxContract } from './outbox.ts';
import { readMarkersContract } from './read-markers.ts';
import { type RemovalWorld, removalContract } from './removal.ts';
import { storedDataContract } from './stored-data.ts';
import type { Server, ServerOptions, World } from './world.ts';

/** One process owns the file, so the servers of a test are several stores on one database. */
async function sqlite(): Promise<World> {
  const db = await SqliteDatabase.open(':memory:');
  return {
    server: async (options) => serverOn(db, options),
    close: () => db.close(),
  };
}

/** A file. It is closed while events are removed, because its process locks it. */
async function sqliteFile(): Promise<RemovalWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-sqlite-'));
  const file = join(folder, 'chat.db');
  let db = await SqliteDatabase.open(file);
  return {
    server: async (options) => serverOn(db, options),
    async remove(place, from, to) {
      await db.close();
      const raw = new DatabaseSync(file);
      raw.prepare('DELETE FROM event WHERE place = ? AND seq BETWEEN ? AND ?').run(place, from, to);
      raw.close();
      db = await SqliteDatabase.open(file);
    },
    async close() {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function serverOn(database: SqliteDatabase, { now }: ServerOptions = {}): Server {
  return {
    store: new SqliteMessageStore({ database, now }),
    outbox: new SqliteOutbox({ database, now }),
    markers: new SqliteReadMarkers({ database }),
  };
}

messageStoreContract('SQLite', sqlite);
historyContract('SQLite', sqlite);
burstContract('SQLite', sqlite);
outboxContract('SQLite', sqlite);
readMarkersContract('SQLite', sqlite);
removalContract('SQLite', sqliteFile);
storedDataContract('SQLite', async () => {
  const database = await SqliteDatabase.open(':memory:');
  return {
    server: async () => ({ ...serverOn(database), data: new SqliteStoredData({ database }) }),
    close: () => database.close(),
  };
});
jobStoreContract('SQLite', async () => {
  const database = await SqliteDatabase.open(':memory:');
  return { jobs: new SqliteJobStore({ database }), close: () => database.close() };
});
