import type { DatabaseSync } from 'node:sqlite';
import type { HistoryPage } from '../../application/ports/message-store.ts';
import type { ConversationKey } from '../../domain/conversation.ts';
import { type HistoryRange, withParents } from '../../domain/history.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { MESSAGE_COLUMNS, readMessage } from './documents.ts';

/** Numbers of a place that `hole` counts in one row. */
export const HOLE_BUCKET = 1024;

/** Reads the messages as they stand; synchronous, for the thread that owns the file. */
export class Pages {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  /** `newest` is the place's newest number now. */
  history(place: ConversationKey, range: HistoryRange, newest: number): HistoryPage {
    const messages = this.#inRange(place, range, newest);
    const parents = messages.flatMap((message) => (message.parentId === null ? [] : [message.parentId]));
    return { entries: withParents(messages, this.messages(place, parents)), seq: newest };
  }

  messages(place: ConversationKey, ids: readonly MessageId[]): Map<MessageId, Message> {
    if (ids.length === 0) return new Map();
    const rows = this.#sql.byId.all(JSON.stringify(ids), place);
    return new Map(rows.map(readMessage).map((message) => [message.id, message]));
  }

  /** How many messages the place has, without counting them one by one. */
  count(place: ConversationKey, newest: number): number {
    return newest - Number(this.#sql.holes.get(place)?.count ?? 0);
  }

  #inRange(place: ConversationKey, range: HistoryRange, newest: number): Message[] {
    switch (range.kind) {
      case 'before':
        return this.#sql.upTo
          .all(place, range.seq - 1, range.size, 0)
          .map(readMessage)
          .reverse();
      case 'after':
        return this.#sql.after.all(place, range.seq, range.size).map(readMessage);
      case 'page': {
        const { upTo, skip } = this.#seek(place, newest, range.page * range.size);
        return this.#sql.upTo.all(place, upTo, range.size, skip).map(readMessage).reverse();
      }
    }
  }

  /**
   * Where the entry stands that has `skip` newer ones. Numbers are dense, so a bucket without holes is passed over by arithmetic
   * and at most one bucket is left to walk through: an offset alone would walk from the newest.
   */
  #seek(place: ConversationKey, newest: number, skip: number): { upTo: number; skip: number } {
    let left = skip;
    let upTo = newest;
    if (left <= HOLE_BUCKET) return { upTo, skip: left };
    const holes = this.#sql.holesDown.iterate(place);
    let next = holes.next();
    while (upTo > 0) {
      const bucket = Math.floor(upTo / HOLE_BUCKET);
      const base = Math.max(1, bucket * HOLE_BUCKET);
      while (!next.done && Number(next.value.bucket) > bucket) next = holes.next();
      const missing = !next.done && Number(next.value.bucket) === bucket ? Number(next.value.count) : 0;
      const live = upTo - base + 1 - missing;
      if (live > left) break;
      left -= live;
      upTo = base - 1;
    }
    holes.return?.();
    return { upTo, skip: left };
  }
}

function statements(db: DatabaseSync) {
  const select = `SELECT ${MESSAGE_COLUMNS} FROM message`;
  return {
    byId: db.prepare(`${select} WHERE id IN (SELECT value FROM json_each(?)) AND place = ?`),
    upTo: db.prepare(`${select} WHERE place = ? AND seq <= ? ORDER BY seq DESC LIMIT ? OFFSET ?`),
    after: db.prepare(`${select} WHERE place = ? AND seq > ? ORDER BY seq LIMIT ?`),
    holes: db.prepare('SELECT sum(count) AS count FROM hole WHERE place = ?'),
    holesDown: db.prepare('SELECT bucket, count FROM hole WHERE place = ? ORDER BY bucket DESC'),
  };
}
