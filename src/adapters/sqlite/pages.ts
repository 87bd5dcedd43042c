import type { DatabaseSync } from 'node:sqlite';
import type { HistoryPage } from '../../application/ports/message-store.ts';
import { type HistoryRange, withParents } from '../../domain/history.ts';
import { isShortSkip, seekMessage } from '../../domain/holes.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { MESSAGE_COLUMNS, readMessage } from './rows.ts';

/**
 * Reads messages in their current state. All methods are synchronous: the database thread calls
 * them.
 */
export class Pages {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  /** @param newest newest number of the place, read in the same transaction */
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

  #seek(place: ConversationKey, newest: number, skip: number): { upTo: number; skip: number } {
    if (isShortSkip(skip)) return { upTo: newest, skip };
    // Read row by row: a place may have many rows, and few of them are needed.
    const rows = this.#sql.holesDown.iterate(place);
    let row = rows.next();
    const found = seekMessage(newest, skip, (bucket) => {
      while (!row.done && Number(row.value.bucket) > bucket) row = rows.next();
      return !row.done && Number(row.value.bucket) === bucket ? Number(row.value.count) : 0;
    });
    rows.return?.();
    return found;
  }
}

function statements(db: DatabaseSync) {
  const select = `SELECT ${MESSAGE_COLUMNS} FROM message`;
  return {
    byId: db.prepare(`${select} WHERE id IN (SELECT value FROM json_each(?)) AND place = ?`),
    upTo: db.prepare(`${select} WHERE place = ? AND seq <= ? ORDER BY seq DESC LIMIT ? OFFSET ?`),
    after: db.prepare(`${select} WHERE place = ? AND seq > ? ORDER BY seq LIMIT ?`),
    holesDown: db.prepare('SELECT bucket, count FROM hole WHERE place = ? ORDER BY bucket DESC'),
  };
}
