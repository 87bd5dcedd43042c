import type { DatabaseSync } from 'node:sqlite';

/** Entry `n` takes a file back from schema version `n + 3` to `n + 2`. */
const STEPS: readonly string[] = [
  `ALTER TABLE message DROP COLUMN file_name;
   ALTER TABLE message DROP COLUMN file_size;
   ALTER TABLE message DROP COLUMN width;
   ALTER TABLE message DROP COLUMN height;
   UPDATE event SET body = json_remove(body, '$.fileName', '$.fileSize', '$.width', '$.height');`,
  `DROP TABLE read_position;
   DROP INDEX message_author;
   CREATE INDEX message_author ON message (place, user, time);
   CREATE TABLE read_marker (
     place TEXT NOT NULL, user INTEGER NOT NULL, time INTEGER NOT NULL,
     PRIMARY KEY (place, user)
   ) WITHOUT ROWID;`,
  'DROP TABLE place_end',
  'DROP TABLE moderation; DROP TABLE slow_turn;',
  'DROP INDEX message_file; DROP TABLE job',
];

/**
 * Takes a file of the newest schema back to an older version, as if that version had written it.
 */
export function takeBackSchema(db: DatabaseSync, version: 2 | 3 | 4 | 5 | 6): void {
  for (const step of STEPS.slice(version - 2).reverse()) db.exec(step);
  db.prepare(`UPDATE meta SET value = ? WHERE key = 'schema'`).run(version);
}
