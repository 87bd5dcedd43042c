import type { ReadMarkers, UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SqliteDatabase } from './database.ts';

export class SqliteReadMarkers implements ReadMarkers {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void> {
    return this.#db.call('mark', userId, places, time);
  }

  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    return this.#db.call('unread', userId, places);
  }
}
