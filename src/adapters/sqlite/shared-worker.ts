import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { serialize } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import type { AppendBatch, AppendOutcome } from '../../application/ports/message-store.ts';
import { Peer } from '../support/processes/peer.ts';
import { releaseStartMemory } from '../support/release-start-memory.ts';
import { Purge } from './purge.ts';
import { prepareSchema } from './schema.ts';
import { serveBackups } from './serve-backups.ts';
import type { FromStore, StoredBatch, ToStore } from './shared-protocol.ts';
import { runGroup } from './transaction-group.ts';
import { callsOn } from './worker-calls.ts';
import type { Answer, Call, WorkerData } from './worker-protocol.ts';

/** Calls that share one commit. The limit bounds how long a read waits behind writes. */
const MAX_GROUP_CALLS = 512;
const OWNER_ONLY = 0o600;

interface Process {
  readonly peer: Peer<ToStore, FromStore>;
  /** Id of its server; null before it has joined. */
  server: string | null;
}

/**
 * Serves the file on this thread for all processes that connect to the socket. All calls that
 * arrive while a commit is being flushed share the next commit. Stored events go to the other
 * processes at once, in the order of their commits.
 */
function serve({ path: file, socketPath, backups }: WorkerData): void {
  const port = parentPort;
  if (port === null || socketPath === undefined)
    throw new Error('sqlite/shared-worker.ts must run as a worker thread with a socket');
  const db = new DatabaseSync(file);
  prepareSchema(db, file);
  const purge = new Purge({ db, after: (ms, task) => void setTimeout(task, ms).unref() });
  const calls = callsOn(db, () => purge.removed());
  const processes = new Set<Process>();
  let waiting: { readonly from: Process; readonly call: Call }[] = [];

  const run = (): void => {
    const group = waiting.slice(0, MAX_GROUP_CALLS);
    waiting = waiting.slice(MAX_GROUP_CALLS);
    if (waiting.length > 0) setImmediate(run);
    const answers = runGroup(
      db,
      calls,
      group.map(({ call }) => call),
    );
    for (const [from, batches] of storedIn(group, answers)) {
      for (const { peer, server } of processes) {
        if (peer !== from.peer && server !== null) peer.send({ kind: 'stored', batches });
      }
    }
    const byProcess = Map.groupBy(answers.entries(), ([index]) => group[index]?.from);
    for (const [to, own] of byProcess) to?.peer.send({ kind: 'answers', answers: own.map(([, answer]) => answer) });
  };
  const take = (from: Process, message: ToStore): void => {
    if (message.kind === 'join') {
      from.server = message.server;
      from.peer.send({ kind: 'joined' });
      return;
    }
    if (waiting.length === 0) setImmediate(run);
    for (const call of message.calls) waiting.push({ from, call });
  };
  const server = createServer((socket: Socket) => {
    const process: Process = {
      server: null,
      peer: new Peer<ToStore, FromStore>(socket, {
        onMessage: (message) => take(process, message),
        onClosed: () => processes.delete(process),
      }),
    };
    processes.add(process);
  });
  port.once('message', () => {
    server.close();
    for (const { peer } of processes) peer.destroy();
    while (waiting.length > 0) run();
    purge.closing();
    db.close();
    port.close();
    backups.close();
  });
  serveBackups(db, backups);
  rmSync(socketPath, { force: true });
  server.listen(socketPath, () => {
    chmodSync(socketPath, OWNER_ONLY);
    port.postMessage('ready');
    releaseStartMemory();
  });
}

/** The batches that a group stored, in the order of their commits, each with its process. */
function storedIn(
  group: readonly { readonly from: Process; readonly call: Call }[],
  answers: readonly Answer[],
): [Process, StoredBatch[]][] {
  const stored: [Process, StoredBatch[]][] = [];
  for (const [index, answer] of answers.entries()) {
    const entry = group[index];
    if (entry === undefined || entry.call.name !== 'append' || !('result' in answer)) continue;
    const outcomes = answer.result as readonly AppendOutcome[];
    const batches = (entry.call.args[0] as readonly AppendBatch[]).flatMap(({ place, first, drafts, traces }, i) => {
      const outcome = outcomes[i];
      if (outcome?.kind !== 'stored') return [];
      const server = entry.from.server ?? '';
      const batch = { place, first: outcome.first ?? first, count: drafts.length, server, drafts: serialize(drafts) };
      return [traces === undefined ? batch : { ...batch, traces }];
    });
    if (batches.length > 0) stored.push([entry.from, batches]);
  }
  return stored;
}

serve(workerData as WorkerData);
