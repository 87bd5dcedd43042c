import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { EventLog } from '../../src/adapters/sqlite/event-log.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { holeBucket } from '../../src/domain/holes.ts';
import { type NewerBatch, type UpgradingWorld, unknownKindsContract } from './unknown-kinds.ts';

/**
 * A file that this version and a newer one write in turn. The servers of this version are closed
 * meanwhile.
 */
async function sqliteFile(): Promise<UpgradingWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-sqlite-'));
  const file = join(folder, 'chat.db');
  let database: SqliteDatabase | null = await SqliteDatabase.open(file);
  const closed = async <T>(task: (db: DatabaseSync) => T): Promise<T> => {
    await database?.close();
    database = null;
    const db = new DatabaseSync(file);
    try {
      return task(db);
    } finally {
      db.close();
    }
  };
  return {
    async server({ now } = {}) {
      database ??= await SqliteDatabase.open(file);
      return {
        store: new SqliteMessageStore({ database, now }),
        outbox: new SqliteOutbox({ database, now }),
        markers: new SqliteReadMarkers({ database }),
      };
    },
    newerServerAppends: (batch) => closed((db) => appendNewer(db, batch)),
    unpublishedOf: (place) =>
      closed((db) => {
        const rows = db.prepare('SELECT first FROM outbox WHERE place = ? ORDER BY first').all(place);
        return rows.map(({ first }) => Number(first));
      }),
    async close() {
      await database?.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Writes the rows that the newer version writes in one transaction. */
function appendNewer(db: DatabaseSync, { place, first, drafts, unknown, at = Date.now() }: NewerBatch): void {
  if (drafts.length > 0) new EventLog(db).append([{ place, first, drafts }], at);
  const addEvent = db.prepare('INSERT INTO event (place, seq, kind, target, body) VALUES (?, ?, ?, ?, ?)');
  const addNonce = db.prepare('INSERT INTO nonce (user, nonce, place, seq, at) VALUES (?, ?, ?, ?, ?)');
  const addHole = db.prepare(
    'INSERT INTO hole (place, bucket, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
  );
  let seq = first + drafts.length;
  for (const event of unknown) {
    addEvent.run(place, seq, event.kind, event.id, JSON.stringify(event));
    if (event.nonce !== null) addNonce.run(event.userId, event.nonce, place, seq, at);
    addHole.run(place, holeBucket(seq));
    seq += 1;
  }
  db.prepare('INSERT OR REPLACE INTO outbox (place, first, last, at) VALUES (?, ?, ?, ?)').run(
    place,
    first,
    seq - 1,
    at,
  );
}

unknownKindsContract('SQLite', sqliteFile);
