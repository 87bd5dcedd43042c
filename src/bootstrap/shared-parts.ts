import { join } from 'node:path';
import type { Config } from './config/config.ts';

/**
 * The parts that live inside this server and that its workers share, by the paths of their sockets.
 */
export interface SharedParts {
  /**
   * Socket of the hub, which carries records between the workers. It also has presence and the
   * member lists where no service has them.
   */
  readonly hub: string;
  /** Socket of the process that owns the SQLite file; null with another store. */
  readonly database: string | null;
}

export function sharedParts({ store, server }: Pick<Config, 'store' | 'server'>): SharedParts {
  return {
    hub: join(server.dataDir, 'hub.sock'),
    database: store.kind === 'sqlite' ? join(server.dataDir, 'store.sock') : null,
  };
}
