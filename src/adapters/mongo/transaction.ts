import type { ClientSession } from 'mongodb';
import type { MongoDatabase } from './database.ts';

/** If a transaction is blocked for this time, it looks for abandoned transactions. */
const BLOCKED_MS = 300;

/** Runs a transaction. If another one is in its way, it ends the abandoned ones and tries again. */
export function transaction(db: MongoDatabase, task: (session: ClientSession) => Promise<void>): Promise<void> {
  const began = performance.now();
  return db.client.withSession((session) =>
    session.withTransaction(async () => {
      // The driver repeats this function while another transaction holds a document.
      if (performance.now() - began > BLOCKED_MS) await db.abandoned.end();
      await task(session);
    }),
  );
}
