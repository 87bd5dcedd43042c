import type { DatabaseSync } from 'node:sqlite';
import type { ReadPosition } from '../../application/ports/read-markers.ts';
import type { ExpiredPart, PlacesPart } from '../../application/ports/stored-data.ts';
import { DELETED_USER_ID, DELETED_USER_NAME } from '../../domain/anonymous.ts';
import { isFileUrl } from '../../domain/file.ts';
import { holeBucket } from '../../domain/holes.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { isStored, type StoredEvent } from '../../domain/stored-event.ts';
import { anonymousBody, MESSAGE_COLUMNS, readEvent, readMessage, renamedParent, unquotedBody } from './rows.ts';

/**
 * Lists and removes stored data for jobs. Synchronous: for the database thread. Each method is a
 * part of one transaction.
 */
export class StoredContent {
  readonly #sql: ReturnType<typeof statements>;
  readonly #removed: () => void;

  /** @param removed called when texts or names are removed, inside of the transaction */
  constructor(db: DatabaseSync, removed: () => void = () => {}) {
    this.#sql = statements(db);
    this.#removed = removed;
  }

  places(cursor: string | null, limit: number): PlacesPart {
    const places: ConversationKey[] = [];
    for (let after = cursor ?? ''; places.length < limit; ) {
      const next = this.#sql.nextPlace.get(after)?.place;
      if (typeof next !== 'string') return { places, next: null };
      places.push(next as ConversationKey);
      after = next;
    }
    return { places, next: places.at(-1) ?? null };
  }

  expired(place: ConversationKey, after: number, before: number, limit: number): ExpiredPart {
    let upTo = 0;
    for (const { seq, time } of this.#sql.numbersAfter.all(place, after, limit)) {
      // An event of an unknown kind without a time is as old as its neighbours.
      if (time !== null && Number(time) >= before) break;
      upTo = Number(seq);
    }
    if (upTo === 0) return { upTo: 0, events: 0, messages: 0, files: [] };
    const messages = this.#sql.messagesUpTo.all(place, after, upTo).map(readMessage);
    const events = Number(this.#sql.countEvents.get(place, after, upTo)?.count);
    return { upTo, events, messages: messages.length, files: messages.flatMap(fileKeys) };
  }

  removeExpired(place: ConversationKey, upTo: number): void {
    for (const { id, seq } of this.#sql.messagesUpTo.all(place, 0, upTo)) {
      this.#sql.removeEdits.run(String(id), place);
      for (const row of this.#sql.quotesOf.all(String(id), place)) {
        this.#sql.rewriteEvent.run(unquotedBody(place, row), place, Number(row.seq));
      }
      this.#sql.addHole.run(place, holeBucket(Number(seq)));
    }
    this.#sql.removeMessages.run(place, upTo);
    this.#sql.removeEvents.run(place, upTo);
    this.#sql.removeOutbox.run(place, upTo);
    this.#removed();
  }

  expiredFiles(before: number, limit: number): Message[] {
    return this.#sql.filesBefore.all(before, limit).map(readMessage);
  }

  countFiles(from: number, before: number): number {
    return Number(this.#sql.countFiles.get(from, before)?.count);
  }

  messagesOf(userId: UserId, place: ConversationKey, after: MessageId | null, limit: number): Message[] {
    return this.#sql.messagesOf.all(place, userId, after ?? '', limit).map(readMessage);
  }

  eventsOf(userId: UserId, place: ConversationKey, from: number, to: number): StoredEvent[] {
    return this.#sql.eventsOf
      .all(place, from, to, userId)
      .map((row) => readEvent(place, row))
      .filter(isStored);
  }

  anonymiseEvents(userId: UserId, place: ConversationKey, from: number, to: number): void {
    for (const row of this.#sql.eventsOf.all(place, from, to, userId)) {
      this.#sql.rewriteEvent.run(anonymousBody(place, row), place, Number(row.seq));
    }
    this.#removed();
  }

  anonymiseMessages(userId: UserId, place: ConversationKey, ids: readonly MessageId[]): void {
    for (const id of ids) {
      const { changes } = this.#sql.anonymiseMessage.run(DELETED_USER_ID, DELETED_USER_NAME, id, place, userId);
      if (changes === 0) continue;
      for (const row of this.#sql.quotesOf.all(id, place)) {
        this.#sql.rewriteEvent.run(renamedParent(place, row, DELETED_USER_NAME), place, Number(row.seq));
      }
    }
    this.#removed();
  }

  readingOf(userId: UserId, place: ConversationKey): ReadPosition | null {
    const row = this.#sql.position.get(place, userId);
    return row === undefined ? null : { place, seq: Number(row.seq) };
  }

  forgetReader(userId: UserId, place: ConversationKey): void {
    this.#sql.forgetPosition.run(place, userId);
    this.#sql.forgetNonces.run(userId, place);
  }
}

function fileKeys({ type, content, thumbnail }: Message): string[] {
  if (type === null || type === 'reply') return [];
  return [content, thumbnail].flatMap((key) => (key === null || key === '' || isFileUrl(key) ? [] : [key]));
}

const FILE = `type IN ('image', 'video', 'file')`;

function statements(db: DatabaseSync) {
  const select = `SELECT ${MESSAGE_COLUMNS} FROM message`;
  return {
    nextPlace: db.prepare(
      `SELECT min(place) AS place FROM (
         SELECT * FROM (SELECT place FROM place_end WHERE place > ?1 ORDER BY place LIMIT 1)
         UNION ALL SELECT * FROM (SELECT place FROM read_position WHERE place > ?1 ORDER BY place LIMIT 1)
       )`,
    ),
    numbersAfter: db.prepare(
      `SELECT seq, min(time) AS time FROM (
         SELECT * FROM (
           SELECT seq, body ->> 'time' AS time FROM event WHERE place = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3)
         UNION ALL
         SELECT * FROM (SELECT seq, time FROM message WHERE place = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3)
       ) GROUP BY seq ORDER BY seq LIMIT ?3`,
    ),
    countEvents: db.prepare('SELECT count(*) AS count FROM event WHERE place = ? AND seq > ? AND seq <= ?'),
    messagesUpTo: db.prepare(`${select} WHERE place = ? AND seq > ? AND seq <= ? ORDER BY seq`),
    // Without INDEXED BY, SQLite would read all events of the place.
    removeEdits: db.prepare(
      `DELETE FROM event INDEXED BY event_edit WHERE kind = 'modify' AND target = ? AND place = ?`,
    ),
    quotesOf: db.prepare(
      `SELECT seq, kind, body FROM event INDEXED BY event_quote
       WHERE kind = 'reply' AND body ->> 'parentId' = ? AND place = ?`,
    ),
    rewriteEvent: db.prepare('UPDATE event SET body = ? WHERE place = ? AND seq = ?'),
    addHole: db.prepare(
      'INSERT INTO hole (place, bucket, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
    ),
    removeMessages: db.prepare('DELETE FROM message WHERE place = ? AND seq <= ?'),
    removeEvents: db.prepare('DELETE FROM event WHERE place = ? AND seq <= ?'),
    removeOutbox: db.prepare('DELETE FROM outbox WHERE place = ? AND last <= ?'),
    filesBefore: db.prepare(`${select} INDEXED BY message_file WHERE ${FILE} AND time < ? ORDER BY time LIMIT ?`),
    countFiles: db.prepare(
      `SELECT count(*) AS count FROM message INDEXED BY message_file WHERE ${FILE} AND time >= ? AND time < ?`,
    ),
    messagesOf: db.prepare(
      `${select} INDEXED BY message_author WHERE place = ? AND user = ? AND id > ? ORDER BY id LIMIT ?`,
    ),
    eventsOf: db.prepare(
      `SELECT seq, kind, body FROM event WHERE place = ? AND seq BETWEEN ? AND ? AND body ->> 'userId' = ?
       ORDER BY seq`,
    ),
    anonymiseMessage: db.prepare(
      'UPDATE message SET user = ?, name = ?, image = NULL, nonce = NULL WHERE id = ? AND place = ? AND user = ?',
    ),
    position: db.prepare('SELECT seq FROM read_position WHERE place = ? AND user = ?'),
    forgetPosition: db.prepare('DELETE FROM read_position WHERE place = ? AND user = ?'),
    forgetNonces: db.prepare('DELETE FROM nonce WHERE user = ? AND place = ?'),
  };
}
