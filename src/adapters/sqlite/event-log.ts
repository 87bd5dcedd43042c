import type { DatabaseSync } from 'node:sqlite';
import type { AppendBatch, AppendOutcome } from '../../application/ports/message-store.ts';
import type { BatchKey, UnpublishedBatch } from '../../application/ports/outbox.ts';
import { holeBucket } from '../../domain/holes.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import { createdMessage } from '../../domain/message.ts';
import { NONCE_LIFETIME_MS } from '../../domain/nonce.ts';
import type { ConversationKey } from '../../domain/place.ts';
import {
  allStored,
  type CreatingEvent,
  type MessageDeleted,
  type MessageModified,
  type SequencedEvent,
  STORED_KIND_NAMES,
  STORED_KINDS,
  type StoredEvent,
} from '../../domain/stored-event.ts';
import { blankedBody, eventBody, MESSAGE_COLUMNS, messageValues, readEvent, unquotedBody } from './rows.ts';

const NONCE_SWEEP_MS = 60_000;

/**
 * Writes and reads the numbered events. All methods are synchronous: the database thread calls them
 * inside its transaction.
 */
export class EventLog {
  readonly #sql: ReturnType<typeof statements>;
  readonly #removed: () => void;
  #sweptAt = 0;

  /** @param removed called for each deletion of a message, inside of the transaction */
  constructor(db: DatabaseSync, removed: () => void = () => {}) {
    this.#sql = statements(db);
    this.#removed = removed;
  }

  append(batches: readonly AppendBatch[], now: number): AppendOutcome[] {
    this.#forgetOldNonces(now);
    return batches.map((batch) => this.#appendOne(batch, now));
  }

  newest(place: ConversationKey): number {
    return Number(this.#sql.newest.get(place)?.seq ?? 0);
  }

  eventsAfter(place: ConversationKey, after: number, limit: number): SequencedEvent[] {
    const events = this.#between(place, after, Number.MAX_SAFE_INTEGER, limit);
    if (events.length === limit) return events;
    const newest = this.newest(place);
    // The newest events were removed. Their last number is shown nevertheless.
    if (newest > (events.at(-1)?.seq ?? after)) events.push({ kind: 'unknown', place, seq: newest, isRemoved: true });
    return events;
  }

  byNonce(userId: UserId, nonce: string, now: number): SequencedEvent | null {
    const row = this.#sql.nonce.get(userId, nonce);
    if (row === undefined || Number(row.at) <= now - NONCE_LIFETIME_MS) return null;
    const seq = Number(row.seq);
    return this.#between(row.place as ConversationKey, seq - 1, seq, 1)[0] ?? null;
  }

  published(batches: readonly BatchKey[]): void {
    for (const { place, first } of batches) this.#sql.published.run(place, first);
  }

  /** Batches stored up to `before`, or after `now`: then the clock was set back meanwhile. */
  unpublished(before: number, now: number, limit: number): UnpublishedBatch[] {
    return this.#sql.unpublished.all(before, now, limit).flatMap((row) => {
      const place = row.place as ConversationKey;
      const first = Number(row.first);
      const events = allStored(this.#between(place, first - 1, Number(row.last), -1));
      return events === null ? [] : [{ place, first, events }];
    });
  }

  /** The events after `after`, up to `last`. Numbers that were removed are missing. */
  #between(place: ConversationKey, after: number, last: number, limit: number): SequencedEvent[] {
    return this.#sql.events.all(place, after, last, limit).map((row) => readEvent(place, row));
  }

  #appendOne({ place, first: wanted, drafts, isMovable = false }: AppendBatch, now: number): AppendOutcome {
    const newest = this.newest(place);
    const first = newest + 1;
    const isNext = wanted === first;
    if (drafts.length === 0 || !(isNext || (isMovable && wanted < first))) return { kind: 'conflict' };
    for (const [index, draft] of drafts.entries()) {
      const event = draft.nonce === null ? null : this.byNonce(draft.userId, draft.nonce, now);
      if (event !== null) return { kind: 'repeated', index, event };
    }
    let seq = first;
    for (const draft of drafts) {
      if (draft.nonce !== null) this.#sql.addNonce.run(draft.userId, draft.nonce, place, seq, now);
      this.#sql.addEvent.run(place, seq, draft.kind, draft.id, eventBody(draft));
      const removed = this.#project({ ...draft, place, seq });
      if (removed !== null) this.#addHole(place, removed);
      if (!STORED_KINDS[draft.kind].creates) this.#addHole(place, seq);
      seq += 1;
    }
    this.#sql.addOutbox.run(place, first, seq - 1, now);
    this.#sql.setEnd.run(place, seq - 1);
    return isNext ? { kind: 'stored' } : { kind: 'stored', first };
  }

  /**
   * Applies the event to the messages. If it deletes a message, returns the message's number, which
   * is now a hole; otherwise null.
   *
   * Nothing is ever left to project later in SQLite: the version that knows an event's kind applies
   * the event in the transaction that stores it.
   */
  #project(event: StoredEvent): number | null {
    switch (event.kind) {
      case 'message':
      case 'reply':
      case 'file':
        return this.#create(event);
      case 'modify':
        return this.#edit(event);
      case 'delete':
        return this.#remove(event);
    }
  }

  #create(event: CreatingEvent): number | null {
    const { changes } = this.#sql.addMessage.run(...messageValues(createdMessage(event)));
    return changes === 0 ? event.seq : null;
  }

  #edit({ place, id, content }: MessageModified): null {
    this.#sql.editMessage.run(content, id, place);
    return null;
  }

  #remove({ place, id }: MessageDeleted): number | null {
    const row = this.#sql.removeMessage.get(id, place);
    const created = row === undefined ? null : Number(row.seq);
    this.#blank(place, id, created ?? 0);
    this.#removed();
    return created;
  }

  /**
   * Removes the text of a deleted message from the log: from the event that created it, from its
   * edits and from the replies to it. Table `message` has no copy in replies.
   */
  #blank(place: ConversationKey, id: MessageId, created: number): void {
    for (const row of this.#sql.eventsOf.all(place, created, id)) {
      this.#sql.rewriteEvent.run(blankedBody(place, row), place, Number(row.seq));
    }
    for (const row of this.#sql.quotesOf.all(id, place)) {
      this.#sql.rewriteEvent.run(unquotedBody(place, row), place, Number(row.seq));
    }
  }

  #addHole(place: ConversationKey, seq: number): void {
    this.#sql.addHole.run(place, holeBucket(seq));
  }

  #forgetOldNonces(now: number): void {
    if (now - this.#sweptAt < NONCE_SWEEP_MS) return;
    this.#sweptAt = now;
    this.#sql.forgetNonces.run(now - NONCE_LIFETIME_MS);
  }
}

function statements(db: DatabaseSync) {
  const values = MESSAGE_COLUMNS.replace(/\w+/g, '?');
  const known = STORED_KIND_NAMES.map((kind) => `'${kind}'`).join(', ');
  // Without INDEXED BY, SQLite would read all events of the place. It refuses the statement for a
  // kind that the index does not cover: such a kind needs a migration of the index.
  const edits = STORED_KIND_NAMES.filter((kind) => STORED_KINDS[kind].edits).map(
    (kind) => `event INDEXED BY event_edit WHERE kind = '${kind}' AND target = ?3 AND place = ?1`,
  );
  const quotes = STORED_KIND_NAMES.filter((kind) => STORED_KINDS[kind].quotes).map(
    (kind) => `event INDEXED BY event_quote WHERE kind = '${kind}' AND body ->> 'parentId' = ?1 AND place = ?2`,
  );
  const bodiesOf = (sources: readonly string[]) =>
    sources.map((source) => `SELECT seq, kind, body FROM ${source}`).join(' UNION ALL ');
  return {
    newest: db.prepare(
      `SELECT max(
         coalesce((SELECT seq FROM place_end WHERE place = ?1), 0),
         coalesce((SELECT max(seq) FROM event WHERE place = ?1), 0)
       ) AS seq`,
    ),
    setEnd: db.prepare('INSERT INTO place_end (place, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq'),
    events: db.prepare(
      'SELECT seq, kind, body FROM event WHERE place = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    ),
    nonce: db.prepare('SELECT place, seq, at FROM nonce WHERE user = ? AND nonce = ?'),
    addNonce: db.prepare('INSERT OR REPLACE INTO nonce (user, nonce, place, seq, at) VALUES (?, ?, ?, ?, ?)'),
    forgetNonces: db.prepare('DELETE FROM nonce WHERE at <= ?'),
    addEvent: db.prepare('INSERT INTO event (place, seq, kind, target, body) VALUES (?, ?, ?, ?, ?)'),
    eventsOf: db.prepare(bodiesOf(['event WHERE place = ?1 AND seq = ?2', ...edits])),
    quotesOf: db.prepare(bodiesOf(quotes)),
    rewriteEvent: db.prepare('UPDATE event SET body = ? WHERE place = ? AND seq = ?'),
    addOutbox: db.prepare('INSERT INTO outbox (place, first, last, at) VALUES (?, ?, ?, ?)'),
    published: db.prepare('DELETE FROM outbox WHERE place = ? AND first = ?'),
    unpublished: db.prepare(
      `SELECT place, first, last FROM outbox WHERE (at <= ? OR at > ?) AND EXISTS (
         SELECT 1 FROM event WHERE event.place = outbox.place AND seq BETWEEN first AND last
       ) AND NOT EXISTS (
         SELECT 1 FROM event WHERE event.place = outbox.place AND seq BETWEEN first AND last AND kind NOT IN (${known})
       ) ORDER BY at, place LIMIT ?`,
    ),
    addMessage: db.prepare(`INSERT INTO message (${MESSAGE_COLUMNS}) VALUES (${values}) ON CONFLICT (id) DO NOTHING`),
    editMessage: db.prepare('UPDATE message SET content = ?, edited = 1 WHERE id = ? AND place = ?'),
    removeMessage: db.prepare('DELETE FROM message WHERE id = ? AND place = ? RETURNING seq'),
    addHole: db.prepare(
      'INSERT INTO hole (place, bucket, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
    ),
  };
}
