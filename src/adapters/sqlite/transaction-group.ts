import type { DatabaseSync } from 'node:sqlite';
import { type Answer, type Call, type Calls, type DatabaseFailure, isWrite } from './worker-protocol.ts';

/**
 * Runs the calls in order in one transaction, so that all writes among them cost one flush to the
 * disk. If a call fails, the transaction is rolled back and each call runs in a transaction of its
 * own. So a call that cannot be served does not fail the others.
 */
export function runGroup(db: DatabaseSync, calls: Calls, group: readonly Call[]): Answer[] {
  const writes = group.some(({ name }) => isWrite(name));
  try {
    if (writes) db.exec('BEGIN IMMEDIATE');
    const answers = group.map((call) => ({ id: call.id, result: run(calls, call) }));
    if (writes) db.exec('COMMIT');
    return answers;
  } catch (error) {
    // Some failures, for example a full disk, have already ended the transaction.
    if (db.isTransaction) db.exec('ROLLBACK');
    if (group.length > 1) return group.flatMap((call) => runGroup(db, calls, [call]));
    const failure = failureOf(error);
    return group.map(({ id }) => ({ id, error: failure }));
  }
}

function failureOf(error: unknown): DatabaseFailure {
  if (!(error instanceof Error)) return { message: String(error), errcode: null };
  const errcode = 'errcode' in error ? Number(error.errcode) : null;
  return { message: error.message, errcode };
}

function run(calls: Calls, { name, args }: Call): unknown {
  const call = calls[name] as (...args: readonly unknown[]) => unknown;
  return call(...args);
}
