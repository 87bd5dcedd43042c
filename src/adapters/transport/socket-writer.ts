import type { Duplex } from 'node:stream';

/** Something with output gathered during this turn of the event loop. `flush` must not throw. */
export interface Flushable {
  flush(): void;
}

// One pending flush for the whole process, however many connections were written to in this turn.
let corked: Duplex[] = [];
let gathered: Flushable[] = [];
let isScheduled = false;

/** Writes to a socket; all that one turn of the event loop writes leaves together, in one system call a socket. */
export function writeSoon(socket: Duplex, chunk: Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    corked.push(socket);
    schedule();
  }
  socket.write(chunk);
}

/** Calls `flush` once this turn of the event loop is over. Call it once a turn. */
export function flushSoon(target: Flushable): void {
  gathered.push(target);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(flushAll);
}

function flushAll(): void {
  const sockets = corked;
  const targets = gathered;
  corked = [];
  gathered = [];
  isScheduled = false;
  for (const socket of sockets) socket.uncork();
  for (const target of targets) target.flush();
}
