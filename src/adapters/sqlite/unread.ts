import type { DatabaseSync } from 'node:sqlite';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import { holeBucket, lastOfBucket } from '../../domain/holes.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';

/**
 * Reads and writes read positions and counts unread messages. Synchronous: for the database thread.
 */
export class Unread {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  /** Moves the position to `seq`, unless it is further. Returns the position afterwards. */
  mark(userId: UserId, place: ConversationKey, seq: number): number {
    this.#sql.mark.run(place, userId, seq);
    return this.#position(userId, place);
  }

  /** @param newest newest number of the place, read in the same transaction */
  count(userId: UserId, place: ConversationKey, newest: number): UnreadCount {
    const position = this.#position(userId, place);
    const own = Number(this.#sql.own.get(place, userId, position)?.count);
    const time = this.#sql.newestTime.get(place)?.time;
    return {
      place,
      count: this.#messagesAfter(place, position, newest) - own,
      newestTime: typeof time === 'number' ? time : null,
      seq: newest,
    };
  }

  #position(userId: UserId, place: ConversationKey): number {
    return Number(this.#sql.position.get(place, userId)?.seq ?? 0);
  }

  /**
   * Numbers have no gaps, so only the messages of one bucket are read. The rest is arithmetic with
   * the counts of holes.
   */
  #messagesAfter(place: ConversationKey, position: number, newest: number): number {
    const bucket = holeBucket(position);
    const end = lastOfBucket(bucket);
    const inBucket = Number(this.#sql.between.get(place, position, end)?.count);
    if (newest <= end) return inBucket;
    return inBucket + newest - end - Number(this.#sql.holesAfter.get(place, bucket)?.count ?? 0);
  }
}

function statements(db: DatabaseSync) {
  return {
    mark: db.prepare(
      `INSERT INTO read_position (place, user, seq) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`,
    ),
    position: db.prepare('SELECT seq FROM read_position WHERE place = ? AND user = ?'),
    between: db.prepare('SELECT count(*) AS count FROM message WHERE place = ? AND seq > ? AND seq <= ?'),
    holesAfter: db.prepare('SELECT sum(count) AS count FROM hole WHERE place = ? AND bucket > ?'),
    own: db.prepare('SELECT count(*) AS count FROM message WHERE place = ? AND user = ? AND seq > ?'),
    newestTime: db.prepare('SELECT max(time) AS time FROM message WHERE place = ?'),
  };
}
