import type { DatabaseSync } from 'node:sqlite';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

/** Read markers and what they leave unread; synchronous, for the thread that owns the file. */
export class Unread {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  mark(userId: UserId, places: readonly ConversationKey[], time: number): void {
    for (const place of places) this.#sql.mark.run(place, userId, time);
  }

  /** `total` are the place's messages, `seq` its newest number. Counts are read from indexes, never from messages. */
  of(userId: UserId, place: ConversationKey, total: number, seq: number): UnreadCount {
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
