import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteDatabase } from '../../src/adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../../src/adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../../src/adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../../src/adapters/sqlite/read-markers.ts';
import { SystemClock } from '../../src/adapters/system/clock.ts';
import { deletedTextContract, type SearchableWorld } from './deleted-text.ts';

/** A file whose bytes are searched while it is closed. To close it writes a checkpoint. */
async function sqliteFile(): Promise<SearchableWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-sqlite-'));
  let opened: Promise<SqliteDatabase> | null = null;
  return {
    async server({ now } = {}) {
      opened ??= SqliteDatabase.open(join(folder, 'chat.db'));
      const database = await opened;
      return {
        store: new SqliteMessageStore({ database, now }),
        outbox: new SqliteOutbox({ database, now }),
        markers: new SqliteReadMarkers({ database }),
      };
    },
    async occurrences(texts) {
      await (await opened)?.close();
      opened = null;
      const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
      return files.reduce((sum, bytes) => sum + countOf(bytes, texts), 0);
    },
    async close() {
      await (await opened)?.close();
      await rm(folder, { recursive: true });
    },
  };
}

function countOf(bytes: string, texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + bytes.split(text).length - 1, 0);
}

deletedTextContract('SQLite', sqliteFile, new SystemClock());
