import type { DatabaseSync } from 'node:sqlite';
import type { MessagePort } from 'node:worker_threads';
import { backUp } from './backup.ts';
import type { BackupAnswer } from './worker-protocol.ts';

/** Writes a copy of the database to each path that arrives. The thread serves calls meanwhile. */
export function serveBackups(db: DatabaseSync, backups: MessagePort): void {
  backups.on('message', (target: string) => {
    backUp(db, target).then(
      () => backups.postMessage({ error: null } satisfies BackupAnswer),
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        backups.postMessage({ error: reason } satisfies BackupAnswer);
      },
    );
  });
}
