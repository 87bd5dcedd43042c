import type { MongoDatabase } from '../adapters/mongo/database.ts';
import type { FileLink } from '../adapters/mongo/documents.ts';
import type { MongoOriginalEvents } from '../adapters/mongo/first-generation/original-events.ts';
import type { Database } from '../adapters/sqlite/database.ts';
import type { StoredEvents } from '../adapters/sqlite/stored-events.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import type { FirstGeneration } from '../application/application-ports.ts';
import { LogHoles } from '../application/ordering/log-holes.ts';
import type { JobStore } from '../application/ports/job-store.ts';
import type { MessageStore } from '../application/ports/message-store.ts';
import type { ModerationStore } from '../application/ports/moderation-store.ts';
import type { OriginalEvents } from '../application/ports/original-events.ts';
import type { Outbox } from '../application/ports/outbox.ts';
import type { ReadMarkers } from '../application/ports/read-markers.ts';
import type { StoredData } from '../application/ports/stored-data.ts';
import type { Telemetry } from '../application/ports/telemetry.ts';
import type { Config } from './config/config.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface Stores {
  readonly store: MessageStore;
  readonly outbox: Outbox;
  readonly markers: ReadMarkers;
  readonly moderation: ModerationStore;
  readonly data: StoredData;
  readonly jobs: JobStore;
  /**
   * Writes a copy of the database to a new file while it is in use; null where another process owns
   * the database.
   */
  readonly backUp: ((target: string) => Promise<void>) | null;
  /** The events of all workers, where a shared database brings them; otherwise null. */
  readonly storedEvents: StoredEvents | null;
  /** Null where no original server runs beside these. */
  readonly firstGeneration: FirstGeneration | null;
}

export interface StoreParts {
  readonly config: Config['store'];
  readonly firstGeneration: boolean;
  /** Makes the links of files for servers of the original; null where they read none. */
  readonly fileLink: FileLink | null;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  /** The way of a worker to the SQLite file of the hub; null for a server of one process. */
  readonly shared: { readonly path: string; readonly server: string } | null;
}

/**
 * Opens the configured database. The code of the other one is not loaded.
 * @throws Error with a human-readable message when the database can't be opened
 */
export async function openStores({
  config,
  firstGeneration,
  fileLink,
  lifecycle,
  telemetry,
  shared,
}: StoreParts): Promise<Stores> {
  if (config.kind === 'sqlite') {
    const { SqliteMessageStore } = await import('../adapters/sqlite/message-store.ts');
    const { SqliteModerationStore } = await import('../adapters/sqlite/moderation-store.ts');
    const { SqliteOutbox } = await import('../adapters/sqlite/outbox.ts');
    const { SqliteJobStore } = await import('../adapters/sqlite/job-store.ts');
    const { SqliteStoredData } = await import('../adapters/sqlite/stored-data.ts');
    const { SqliteReadMarkers } = await import('../adapters/sqlite/read-markers.ts');
    const { database, backUp, storedEvents } = await openSqlite(config.file, shared);
    lifecycle.onStop('database', () => database.close());
    const onStored = storedEvents === null ? undefined : storedEvents.own.bind(storedEvents);
    const store = new SqliteMessageStore({ database, onStored });
    lifecycle.onStop('store', () => store.close());
    return {
      store,
      outbox: new SqliteOutbox({ database }),
      markers: new SqliteReadMarkers({ database }),
      moderation: new SqliteModerationStore({ database }),
      data: new SqliteStoredData({ database }),
      jobs: new SqliteJobStore({ database }),
      backUp,
      storedEvents,
      firstGeneration: null,
    };
  }
  const { MongoDatabase } = await import('../adapters/mongo/database.ts');
  const { MongoMessageStore } = await import('../adapters/mongo/message-store.ts');
  const { MongoModerationStore } = await import('../adapters/mongo/moderation-store.ts');
  const { MongoOutbox } = await import('../adapters/mongo/outbox.ts');
  const { MongoJobStore } = await import('../adapters/mongo/job-store.ts');
  const { MongoStoredData } = await import('../adapters/mongo/stored-data.ts');
  const { MongoReadMarkers } = await import('../adapters/mongo/read-markers.ts');
  const holes = new LogHoles({ clock: new SystemClock(), telemetry });
  const adoption = firstGeneration ? await loadAdoption() : null;
  const database = await MongoDatabase.connect(config.url.reveal(), {
    fileLink,
    ...(adoption !== null && { prepare: adoption.ensureAdoptionIndexes }),
  });
  lifecycle.onStop('database', () => database.close());
  let originals: MongoOriginalEvents | null = null;
  const store = new MongoMessageStore({
    db: database,
    onFailedBatch: (batch) =>
      telemetry.log('error', 'a stored batch cannot be projected and was set aside', { ...batch }),
    onRemovedEnd: ({ place, from, to }) => holes.found(place, from, to),
    ...(firstGeneration && { look: (places) => originals?.look(places) ?? Promise.resolve(false) }),
  });
  if (adoption === null) await warnOfUnnumbered(database, telemetry);
  else {
    await new adoption.ChangeOverMark(database).set();
    originals = new adoption.MongoOriginalEvents({ db: database, store });
  }
  lifecycle.onStop('store', () => store.close());
  const markers = new MongoReadMarkers({ db: database, store });
  return {
    store,
    outbox: new MongoOutbox({ db: database }),
    markers,
    moderation: new MongoModerationStore({ db: database }),
    data: new MongoStoredData({ db: database, store }),
    jobs: new MongoJobStore({ db: database }),
    backUp: null,
    storedEvents: null,
    firstGeneration: adoption === null || originals === null ? null : adoption.of(originals),
  };
}

/** Original servers ran beside these, and nothing has numbered what they left. */
async function warnOfUnnumbered(db: MongoDatabase, telemetry: Telemetry): Promise<void> {
  const { ChangeOverMark } = await import('../adapters/mongo/change-over-mark.ts');
  const since = await new ChangeOverMark(db).since();
  if (since === null) return;
  const remedy = 'if the original servers are off, run `chat-server migrate --number` without FIRST_GENERATION';
  telemetry.log('warn', 'FIRST_GENERATION was on: messages of original servers may have no number', { since, remedy });
}

/** The parts that only a server beside original ones loads. */
async function loadAdoption() {
  const { ChangeOverMark } = await import('../adapters/mongo/change-over-mark.ts');
  const { ensureAdoptionIndexes } = await import('../adapters/mongo/first-generation/indexes.ts');
  const { MongoOriginalEvents } = await import('../adapters/mongo/first-generation/original-events.ts');
  const { Adoption } = await import('../application/first-generation/adoption.ts');
  const of = (originals: OriginalEvents): FirstGeneration => ({
    adoptionOf: (parts) => new Adoption(originals, parts),
  });
  return { ChangeOverMark, ensureAdoptionIndexes, MongoOriginalEvents, of };
}

interface OpenedSqlite extends Pick<Stores, 'backUp' | 'storedEvents'> {
  readonly database: Database;
}

async function openSqlite(file: string, shared: StoreParts['shared']): Promise<OpenedSqlite> {
  if (shared === null) {
    const { SqliteDatabase } = await import('../adapters/sqlite/database.ts');
    const database = await SqliteDatabase.open(file);
    return { database, backUp: (target) => database.backUp(target), storedEvents: null };
  }
  const { SharedDatabase } = await import('../adapters/sqlite/shared-database.ts');
  const { StoredEvents } = await import('../adapters/sqlite/stored-events.ts');
  const database = await SharedDatabase.open(shared);
  const storedEvents = new StoredEvents(shared.server);
  database.onStored((batches) => storedEvents.others(batches));
  return { database, backUp: null, storedEvents };
}
