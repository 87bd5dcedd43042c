import type { Watcher } from '../../application/ports/watcher.ts';

/** The traces of this server, as far as the sessions and subscriptions need them. */
export interface WatchSlot {
  /** Null while nobody traces anything. */
  watcher: Watcher | null;
}
