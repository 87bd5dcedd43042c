import { MongoDatabase } from '../adapters/mongo/database.ts';
import { MongoMessageStore } from '../adapters/mongo/message-store.ts';
import { MongoOutbox } from '../adapters/mongo/outbox.ts';
import { MongoReadMarkers } from '../adapters/mongo/read-markers.ts';
import { SqliteDatabase } from '../adapters/sqlite/database.ts';
import { SqliteMessageStore } from '../adapters/sqlite/message-store.ts';
import { SqliteOutbox } from '../adapters/sqlite/outbox.ts';
import { SqliteReadMarkers } from '../adapters/sqlite/read-markers.ts';
import type { MessageStore, Outbox, ReadMarkers } from '../application/ports/message-store.ts';
import type { Config } from './config/config.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface Stores {
  readonly store: MessageStore;
  readonly outbox: Outbox;
  readonly markers: ReadMarkers;
}

/** Opens the database that the configuration names. Rejects with an error for people when it can't be had. */
export async function openStores(config: Config['store'], lifecycle: Lifecycle): Promise<Stores> {
  if (config.kind === 'sqlite') {
    const database = await SqliteDatabase.open(config.file);
    lifecycle.onStop('database', () => database.close());
    const store = new SqliteMessageStore(database);
    lifecycle.onStop('store', () => store.close());
    return { store, outbox: new SqliteOutbox(database), markers: new SqliteReadMarkers(database) };
  }
  const database = await MongoDatabase.connect(config.url.reveal());
  lifecycle.onStop('database', () => database.close());
  const store = new MongoMessageStore(database);
  lifecycle.onStop('store', () => store.close());
  return { store, outbox: new MongoOutbox(database), markers: new MongoReadMarkers(database, store) };
}
