import { join } from 'node:path';
import type { Config } from './config/config.ts';

/**
 * The parts that live inside this server and that its workers must share. The paths of their
 * sockets are null where no worker needs them.
 */
export interface SharedParts {
  /** Socket of the hub, with the bus, presence and the member lists of workers. */
  readonly hub: string | null;
  /** Socket of the process that owns the SQLite file. */
  readonly database: string | null;
}

/** Null if the workers share everything over services of their own. */
export function sharedParts({ bus, store, presence, memberCache, server }: Config): SharedParts | null {
  const needsHub = bus.kind === 'memory' || presence.kind === 'embedded' || memberCache.kind === 'memory';
  const needsDatabase = store.kind === 'sqlite';
  if (!needsHub && !needsDatabase) return null;
  return {
    hub: needsHub ? join(server.dataDir, 'hub.sock') : null,
    database: needsDatabase ? join(server.dataDir, 'store.sock') : null,
  };
}
