import { SystemClock } from '../adapters/system/clock.ts';
import { LogHoles } from '../application/ordering/log-holes.ts';
import type { MessageStore } from '../application/ports/message-store.ts';
import type { Outbox } from '../application/ports/outbox.ts';
import type { ReadMarkers } from '../application/ports/read-markers.ts';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { Config } from './config/config.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface Stores {
  readonly store: MessageStore;
  readonly outbox: Outbox;
  readonly markers: ReadMarkers;
  /**
   * Writes a copy of the database to a new file while it is in use; null with a database server.
   */
  readonly backUp: ((target: string) => Promise<void>) | null;
}

/**
 * Opens the configured database. The code of the other one is not loaded.
 * @throws Error with a human-readable message when the database can't be opened
 */
export async function openStores(config: Config['store'], lifecycle: Lifecycle, telemetry: Telemetry): Promise<Stores> {
  if (config.kind === 'sqlite') {
    const { SqliteDatabase } = await import('../adapters/sqlite/database.ts');
    const { SqliteMessageStore } = await import('../adapters/sqlite/message-store.ts');
    const { SqliteOutbox } = await import('../adapters/sqlite/outbox.ts');
    const { SqliteReadMarkers } = await import('../adapters/sqlite/read-markers.ts');
    const database = await SqliteDatabase.open(config.file);
    lifecycle.onStop('database', () => database.close());
    const store = new SqliteMessageStore({ database });
    lifecycle.onStop('store', () => store.close());
    return {
      store,
      outbox: new SqliteOutbox({ database }),
      markers: new SqliteReadMarkers({ database }),
      backUp: (target) => database.backUp(target),
    };
  }
  const { MongoDatabase } = await import('../adapters/mongo/database.ts');
  const { MongoMessageStore } = await import('../adapters/mongo/message-store.ts');
  const { MongoOutbox } = await import('../adapters/mongo/outbox.ts');
  const { MongoReadMarkers } = await import('../adapters/mongo/read-markers.ts');
  const holes = new LogHoles({ clock: new SystemClock(), telemetry });
  const database = await MongoDatabase.connect(config.url.reveal());
  lifecycle.onStop('database', () => database.close());
  const store = new MongoMessageStore({
    db: database,
    onFailedBatch: (batch) =>
      telemetry.log('error', 'a stored batch cannot be projected and was set aside', { ...batch }),
    onRemovedEnd: ({ place, from, to }) => holes.found(place, from, to),
  });
  lifecycle.onStop('store', () => store.close());
  const markers = new MongoReadMarkers({ db: database, store });
  return { store, outbox: new MongoOutbox({ db: database }), markers, backUp: null };
}
