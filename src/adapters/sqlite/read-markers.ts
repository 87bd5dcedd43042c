import type { ReadMarkers, UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SqliteDatabase } from './database.ts';

/** Read markers in the table `read_marker`. */
export class SqliteReadMarkers implements ReadMarkers {
  readonly #parts: { readonly database: SqliteDatabase };

  constructor(parts: { readonly database: SqliteDatabase }) {
    this.#parts = parts;
  }

  mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void> {
    return this.#parts.database.call('mark', userId, places, time);
  }

  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    return this.#parts.database.call('unread', userId, places);
  }
}
