import type { DatabaseSync } from 'node:sqlite';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

/** A place with its number of messages and its newest number. */
interface PlaceSize {
  readonly place: ConversationKey;
  readonly total: number;
  readonly seq: number;
}

/**
 * Reads and writes read markers and counts unread messages. All methods are synchronous: the
 * database thread calls them.
 */
export class Unread {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  mark(userId: UserId, places: readonly ConversationKey[], time: number): void {
    for (const place of places) this.#sql.mark.run(place, userId, time);
  }

  /** Reads only indexes, never the messages themselves. */
  count(userId: UserId, { place, total, seq }: PlaceSize): UnreadCount {
    const marker = this.#sql.marker.get(place, userId);
    const since = marker === undefined ? null : Number(marker.time);
    const all = since === null ? total : Number(this.#sql.since.get(place, since)?.count);
    const own = Number(this.#sql.own.get(place, userId, since ?? Number.MIN_SAFE_INTEGER)?.count);
    const newest = this.#sql.newestTime.get(place)?.time;
    return { place, count: all - own, newestTime: typeof newest === 'number' ? newest : null, seq };
  }
}

function statements(db: DatabaseSync) {
  return {
    mark: db.prepare(
      `INSERT INTO read_marker (place, user, time) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET time = excluded.time WHERE excluded.time > time`,
    ),
    marker: db.prepare('SELECT time FROM read_marker WHERE place = ? AND user = ?'),
    since: db.prepare('SELECT count(*) AS count FROM message WHERE place = ? AND time > ?'),
    own: db.prepare('SELECT count(*) AS count FROM message WHERE place = ? AND user = ? AND time > ?'),
    newestTime: db.prepare('SELECT max(time) AS time FROM message WHERE place = ?'),
  };
}
