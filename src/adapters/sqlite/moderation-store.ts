import type { ModerationStore, StoredOrder } from '../../application/ports/moderation-store.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ModerationOrder } from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Database } from './database.ts';

export interface SqliteModerationStoreParts {
  readonly database: Database;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: (() => number) | undefined;
}

/** Orders in the table `moderation`, and turns in the table `slow_turn`. */
export class SqliteModerationStore implements ModerationStore {
  readonly #database: Database;
  readonly #now: () => number;

  constructor({ database, now }: SqliteModerationStoreParts) {
    this.#database = database;
    this.#now = now ?? Date.now;
  }

  append(order: ModerationOrder, admin: string): Promise<number> {
    return this.#database.call('appendOrder', order, admin, this.#now());
  }

  ordersAfter(after: number, limit: number): Promise<StoredOrder[]> {
    return this.#database.call('ordersAfter', after, limit);
  }

  takeTurn(place: ConversationKey, userId: UserId, intervalMs: number): Promise<number> {
    return this.#database.call('takeTurn', place, userId, intervalMs, this.#now());
  }

  entriesOf(userId: UserId): Promise<number> {
    return this.#database.call('entriesOf', userId);
  }

  forgetUser(userId: UserId): Promise<number> {
    return this.#database.call('forgetUser', userId);
  }
}
