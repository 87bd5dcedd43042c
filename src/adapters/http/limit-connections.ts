import type { Server } from 'node:http';
import type { Clock } from '../../application/ports/clock.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { seldom } from './seldom.ts';

export interface ConnectionLimitOptions {
  /** Files that this process may open. Each connection is one. */
  readonly maxFiles: number;
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Files of the store, of uploads and of calls to other services. */
const RESERVED_FILES = 1_000;
/** Where few files are allowed, a smaller part of them is reserved. */
const RESERVED_SHARE = 1 / 4;
const LOG_INTERVAL_MS = 60_000;

/**
 * Closes further connections before the limit of open files is reached. At the limit itself, the
 * store, uploads and calls to other services would fail too.
 */
export function limitConnections(server: Server, { maxFiles, telemetry, clock }: ConnectionLimitOptions): void {
  const limit = maxFiles - Math.min(RESERVED_FILES, Math.ceil(maxFiles * RESERVED_SHARE));
  server.maxConnections = limit;
  // A worker process would otherwise pass the connection on. Several full workers would pass it to
  // each other for ever. The types of Node.js do not have this property.
  Object.assign(server, { dropMaxConnection: true });
  const mayLog = seldom(clock, LOG_INTERVAL_MS);
  server.on('drop', () => {
    if (!mayLog()) return;
    const what = 'new connections are closed: raise the limit of open files (ulimit -n), or add workers or servers';
    telemetry.log('error', what, { connections: limit, maxFiles });
  });
}
