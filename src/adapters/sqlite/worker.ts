import { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { prepareSchema } from './schema.ts';
import { type Answer, type Asked, runGroup } from './transaction-group.ts';
import { callsOn } from './worker-protocol.ts';

/** Calls that share one commit at most: bounds how long a read waits behind writes. */
const GROUP = 512;

/** The thread that owns the file: everything that has arrived while the last commit was under way shares the next one. */
function serve(path: string): void {
  const port = parentPort;
  if (port === null) throw new Error('this file runs as a worker thread');
  const db = new DatabaseSync(path);
  prepareSchema(db, path);
  const calls = callsOn(db);
  const take = (message: readonly Asked[] | 'close'): void => {
    let group: readonly Asked[] | 'close' = message;
    while (group !== 'close') {
      const asked: Asked[] = [...group];
      let next: { message: readonly Asked[] | 'close' } | undefined;
      while (asked.length < GROUP) {
        next = receiveMessageOnPort(port);
        if (next === undefined || next.message === 'close') break;
        asked.push(...next.message);
      }
      const answers: Answer[] = runGroup(db, calls, asked);
      port.postMessage(answers);
      if (next === undefined || next.message !== 'close') return;
      group = 'close';
    }
    db.close();
    port.close();
  };
  port.on('message', take);
  port.postMessage('ready');
}

serve(String(workerData));
