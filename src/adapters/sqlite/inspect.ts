import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SQLITE_BUSY, schemaVersion } from './schema.ts';

export type SqliteFacts =
  /** The start creates the file. */
  | { readonly kind: 'missing' }
  /** Another process, a server as a rule, has opened the file. */
  | { readonly kind: 'in-use' }
  | { readonly kind: 'free'; readonly schema: number };

/**
 * Looks at a SQLite file without changing its content.
 * @throws Error with a human-readable message if a server of this version cannot use it
 */
export function inspectSqlite(path: string): SqliteFacts {
  if (!existsSync(path)) return { kind: 'missing' };
  try {
    using db = new DatabaseSync(path);
    return { kind: 'free', schema: schemaVersion(db, path) };
  } catch (error) {
    if (error instanceof Error && 'errcode' in error) {
      if (error.errcode === SQLITE_BUSY) return { kind: 'in-use' };
      throw new Error(`cannot use ${path}: ${error.message}`);
    }
    throw error;
  }
}
