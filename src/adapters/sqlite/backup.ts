import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { SQLITE_BUSY, schemaVersion } from './schema.ts';

const SQLITE_OK = 0;
/** Time in which a copy must find a moment between two transactions to begin. */
const MAX_BEGIN_MS = 10_000;
/** Pages that are copied while the database is locked. 400 KB take about a millisecond. */
const PAGES_AT_ONCE = 100;

/**
 * Copies an open database to a new file. Writes of this process go on meanwhile. The copy holds one
 * moment: every commit up to the last step, and no part of a later one.
 * @throws Error if the file exists already, or cannot be written
 */
export async function backUp(db: DatabaseSync, target: string): Promise<void> {
  if (existsSync(target)) throw new Error(`${target} exists already`);
  const until = performance.now() + MAX_BEGIN_MS;
  for (;;) {
    try {
      await backup(db, target, { rate: PAGES_AT_ONCE });
      return;
    } catch (error) {
      if (!isBeginInTransaction(error) || performance.now() > until) throw error;
      await rm(target, { force: true });
    }
  }
}

/**
 * Node.js copies on another thread. If this thread is within a transaction at the first step, Node
 * ends the copy with an error whose code is that of success. At later steps it waits.
 */
function isBeginInTransaction(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_OK;
}

/**
 * Copies a database that no server has opened, and keeps its schema as it is.
 * @throws Error with a human-readable message; `FileInUse` if another process has opened the file
 */
export async function backUpFile(path: string, target: string): Promise<void> {
  using db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    schemaVersion(db, path);
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) throw new FileInUse(path);
    throw error;
  }
  await backUp(db, target);
}

/** Another process has opened the SQLite file. */
export class FileInUse extends Error {
  override readonly name = 'FileInUse';

  constructor(path: string) {
    super(`${path} is in use by another process`);
  }
}

/** Makes a copy a single file that can be read without write permission. */
export function sealCopy(path: string): void {
  using db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = DELETE');
}

export interface CheckedCopy {
  readonly schema: number;
  readonly places: number;
  readonly events: number;
  readonly messages: number;
}

/**
 * Reads a whole sealed copy and counts its rows.
 * @throws Error if the copy is damaged, or if a newer version of the server wrote it
 */
export function checkCopy(path: string): CheckedCopy {
  using db = new DatabaseSync(path, { readOnly: true });
  const found = db
    .prepare('PRAGMA integrity_check(1)')
    .all()
    .map((row) => String(row.integrity_check));
  if (found.join() !== 'ok') throw new Error(`${path} is damaged: ${found.join('; ')}`);
  const count = (sql: string): number => Number(db.prepare(sql).get()?.count ?? 0);
  return {
    schema: schemaVersion(db, path),
    places: count('SELECT count(DISTINCT place) AS count FROM event'),
    events: count('SELECT count(*) AS count FROM event'),
    messages: count('SELECT count(*) AS count FROM message'),
  };
}
