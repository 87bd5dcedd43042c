import type { DatabaseSync } from 'node:sqlite';

/**
 * Entry `n` migrates a file from schema version `n` to `n + 1`. Never change an entry that was
 * released.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE event (
     place TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL,
     PRIMARY KEY (place, seq)
   ) WITHOUT ROWID;
   CREATE INDEX event_edit ON event (target, place) WHERE kind = 'modify';

   CREATE TABLE nonce (
     user INTEGER NOT NULL, nonce TEXT NOT NULL, place TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
     PRIMARY KEY (user, nonce)
   ) WITHOUT ROWID;
   CREATE INDEX nonce_age ON nonce (at);

   CREATE TABLE outbox (
     place TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL,
     PRIMARY KEY (place, first)
   ) WITHOUT ROWID;

   CREATE TABLE message (
     place TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, user INTEGER NOT NULL, time INTEGER NOT NULL,
     community INTEGER, name TEXT, image TEXT, content TEXT, thumbnail TEXT, type TEXT, parent TEXT,
     edited INTEGER NOT NULL, nonce TEXT,
     PRIMARY KEY (place, seq)
   ) WITHOUT ROWID;
   CREATE UNIQUE INDEX message_id ON message (id);
   CREATE INDEX message_time ON message (place, time);
   CREATE INDEX message_author ON message (place, user, time);

   CREATE TABLE hole (
     place TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
     PRIMARY KEY (place, bucket)
   ) WITHOUT ROWID;

   CREATE TABLE read_marker (
     place TEXT NOT NULL, user INTEGER NOT NULL, time INTEGER NOT NULL,
     PRIMARY KEY (place, user)
   ) WITHOUT ROWID;`,
  // The update removes the copies of messages that were deleted before this version.
  `CREATE INDEX event_quote ON event (body ->> 'parentId', place) WHERE kind = 'reply';
   UPDATE event SET body = json_set(body, '$.parentName', '', '$.parentContent', NULL)
   WHERE kind = 'reply' AND NOT EXISTS (SELECT 1 FROM message WHERE id = body ->> 'parentId');`,
  `ALTER TABLE message ADD COLUMN file_name TEXT;
   ALTER TABLE message ADD COLUMN file_size INTEGER;
   ALTER TABLE message ADD COLUMN width INTEGER;
   ALTER TABLE message ADD COLUMN height INTEGER;`,
  // A read time becomes the number of the newest message up to it.
  `CREATE TABLE read_position (
     place TEXT NOT NULL, user INTEGER NOT NULL, seq INTEGER NOT NULL,
     PRIMARY KEY (place, user)
   ) WITHOUT ROWID;
   INSERT INTO read_position
     SELECT place, user, coalesce((
       SELECT max(seq) FROM message WHERE message.place = read_marker.place AND message.time <= read_marker.time
     ), 0) FROM read_marker;
   DROP TABLE read_marker;
   DROP INDEX message_author;
   CREATE INDEX message_author ON message (place, user, seq);`,
  // The greatest number that was given in each place. It stays when events are removed.
  `CREATE TABLE place_end (place TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
   INSERT INTO place_end SELECT place, max(seq) FROM (
     SELECT place, seq FROM event UNION ALL SELECT place, seq FROM message UNION ALL
     SELECT place, last FROM outbox UNION ALL SELECT place, seq FROM nonce UNION ALL
     SELECT place, seq FROM read_position WHERE seq > 0
   ) GROUP BY place;`,
  `CREATE TABLE moderation (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, ends INTEGER, admin TEXT NOT NULL,
     at INTEGER NOT NULL, body TEXT NOT NULL
   );
   CREATE INDEX moderation_subject ON moderation (subject);
   CREATE INDEX moderation_ends ON moderation (ends) WHERE ends IS NOT NULL;
   CREATE TABLE slow_turn (
     place TEXT NOT NULL, user INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (place, user)
   ) WITHOUT ROWID;
   CREATE INDEX slow_turn_age ON slow_turn (at);`,
  `CREATE INDEX message_file ON message (time) WHERE type IN ('image', 'video', 'file');
   CREATE TABLE job (
     id TEXT PRIMARY KEY, state TEXT NOT NULL, due INTEGER NOT NULL, created INTEGER NOT NULL, owner TEXT,
     until INTEGER NOT NULL, body TEXT NOT NULL
   ) WITHOUT ROWID;`,
];

/**
 * Pages in the WAL at which SQLite copies them to the main file. Writes wait during the copy and
 * its two flushes. With 4,000 pages it comes a quarter as often as with SQLite's 1,000, and a page
 * that changes with each message is copied a quarter as often. The WAL then has 16 MB.
 */
const CHECKPOINT_PAGES = 4_000;
/**
 * A larger WAL is cut when it starts anew. It is larger than {@link CHECKPOINT_PAGES} with headers.
 */
const MAX_KEPT_WAL_BYTES = 16 * 1024 * 1024;

/** SQLite's result code for a file that another process has locked. */
export const SQLITE_BUSY = 5;
/** The newest schema, which this version writes. */
export const NEWEST_SCHEMA = MIGRATIONS.length;

/**
 * Locks the file for this process and migrates it to the newest schema.
 * @throws Error with a human-readable message if another process has the file, if it is not a
 *   database, or if a newer version wrote it
 */
export function prepareSchema(db: DatabaseSync, path: string): void {
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA journal_size_limit = ${MAX_KEPT_WAL_BYTES}`);
    // Overwrites deleted texts with zeros.
    db.exec('PRAGMA secure_delete = ON');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
    if (code === SQLITE_BUSY)
      throw new Error(`${path} is in use by another process; only one server can use a SQLite file`);
    throw new Error(`cannot open ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    migrate(db, path);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * The schema version of a file with table `meta`.
 * @throws Error for a schema that a newer version of the server wrote
 */
export function schemaVersion(db: DatabaseSync, path: string): number {
  const row = db.prepare(`SELECT value FROM meta WHERE key = 'schema'`).get();
  const version = Number(row?.value ?? 0);
  if (version <= MIGRATIONS.length) return version;
  throw new Error(
    `${path} has schema ${version}, which a newer version wrote; this version reads schemas up to ${MIGRATIONS.length}`,
  );
}

function migrate(db: DatabaseSync, path: string): void {
  db.exec('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID');
  const version = schemaVersion(db, path);
  for (const step of MIGRATIONS.slice(version)) db.exec(step);
  db.prepare(`INSERT INTO meta VALUES ('schema', ?) ON CONFLICT DO UPDATE SET value = excluded.value`).run(
    MIGRATIONS.length,
  );
}
