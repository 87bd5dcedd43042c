import { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { releaseStartMemory } from '../support/release-start-memory.ts';
import { Purge } from './purge.ts';
import { prepareSchema } from './schema.ts';
import { serveBackups } from './serve-backups.ts';
import { runGroup } from './transaction-group.ts';
import { callsOn } from './worker-calls.ts';
import type { Call, Request, WorkerData } from './worker-protocol.ts';

/** Calls that share one commit. The limit bounds how long a read waits behind writes. */
const MAX_GROUP_CALLS = 512;

/**
 * Serves the file on this thread. All calls that arrive while a commit is being flushed share the
 * next commit.
 */
function serve({ path, backups }: WorkerData): void {
  const port = parentPort;
  if (port === null) throw new Error('sqlite/worker.ts must run as a worker thread');
  const db = new DatabaseSync(path);
  prepareSchema(db, path);
  const purge = new Purge({ db, after: (ms, task) => void setTimeout(task, ms).unref() });
  const calls = callsOn(db, () => purge.removed());
  const take = (message: Request): void => {
    let request: Request = message;
    while (request !== 'close') {
      const group: Call[] = [...request];
      let next: { message: Request } | undefined;
      while (group.length < MAX_GROUP_CALLS) {
        next = receiveMessageOnPort(port);
        if (next === undefined || next.message === 'close') break;
        group.push(...next.message);
      }
      port.postMessage(runGroup(db, calls, group));
      if (next === undefined || next.message !== 'close') return;
      request = 'close';
    }
    purge.closing();
    db.close();
    port.close();
    backups.close();
  };
  serveBackups(db, backups);
  port.on('message', take);
  port.postMessage('ready');
  releaseStartMemory();
}

serve(workerData as WorkerData);
