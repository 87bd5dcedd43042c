import type { ShownServer } from '../../domain/cluster-event.ts';

/** The state of this server, as operators see it. `read` is cheap and never throws. */
export interface ServerFacts {
  read(): ShownServer;
}
