import type { DatabaseSync } from 'node:sqlite';
import { type CallName, type Calls, isWrite } from './worker-protocol.ts';

/** One call on its way to the thread that owns the file. */
export interface Asked {
  readonly id: number;
  readonly name: CallName;
  readonly args: readonly unknown[];
}

/** Its result, or why it failed. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: DatabaseFailure };

/** An error of SQLite as it crosses the border between threads. */
export interface DatabaseFailure {
  readonly message: string;
  /** SQLite's result code, e.g. 13 for a full disk. */
  readonly errcode: number | undefined;
}

/**
 * Runs the calls in order in one transaction, so that all writes among them cost one flush to the disk. When one fails, nothing
 * of the group took place, and each is tried by itself, so that a call that can't be served harms no other.
 */
export function runGroup(db: DatabaseSync, calls: Calls, group: readonly Asked[]): Answer[] {
  const writes = group.some(({ name }) => isWrite(name));
  try {
    if (writes) db.exec('BEGIN IMMEDIATE');
    const answers = group.map((asked) => ({ id: asked.id, result: run(calls, asked) }));
    if (writes) db.exec('COMMIT');
    return answers;
  } catch (error) {
    // Some failures, a full disk among them, have ended the transaction already.
    if (db.isTransaction) db.exec('ROLLBACK');
    if (group.length > 1) return group.flatMap((asked) => runGroup(db, calls, [asked]));
    const failure = failureOf(error);
    return group.map(({ id }) => ({ id, error: failure }));
  }
}

function failureOf(error: unknown): DatabaseFailure {
  if (!(error instanceof Error)) return { message: String(error), errcode: undefined };
  const errcode = 'errcode' in error ? Number(error.errcode) : undefined;
  return { message: error.message, errcode };
}

function run(calls: Calls, { name, args }: Asked): unknown {
  const call = calls[name] as (...args: readonly unknown[]) => unknown;
  return call(...args);
}
