import type { ReadMarkers, ReadPosition, UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Database } from './database.ts';

/**
 * Read positions in the table `read_position`. No original server shares the file, so times are not
 * kept.
 */
export class SqliteReadMarkers implements ReadMarkers {
  readonly #parts: { readonly database: Database };

  constructor(parts: { readonly database: Database }) {
    this.#parts = parts;
  }

  mark(userId: UserId, places: readonly ConversationKey[]): Promise<ReadPosition[]> {
    return this.#parts.database.call('mark', userId, places);
  }

  markUpTo(userId: UserId, place: ConversationKey, seq: number): Promise<number> {
    return this.#parts.database.call('markUpTo', userId, place, seq);
  }

  unread(userId: UserId, places: readonly ConversationKey[]): Promise<UnreadCount[]> {
    return this.#parts.database.call('unread', userId, places);
  }
}
