import type { DatabaseSync } from 'node:sqlite';
import type { AppendBatch, AppendOutcome } from '../../application/ports/message-store.ts';
import type { UnpublishedBatch } from '../../application/ports/outbox.ts';
import { holeBucket } from '../../domain/holes.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { blanked, isCreating, type StoredEvent } from '../../domain/stored-event.ts';
import { eventBody, MESSAGE_COLUMNS, messageValues, readEvent } from './rows.ts';

export const NONCE_MS = 24 * 60 * 60 * 1000;
const SWEEP_EVERY_MS = 60_000;

/** Writes and reads the numbered events; synchronous, for the thread that owns the file, inside its transaction. */
export class EventLog {
  readonly #sql: ReturnType<typeof statements>;
  #sweptAt = 0;

  constructor(db: DatabaseSync) {
    this.#sql = statements(db);
  }

  append(batches: readonly AppendBatch[], now: number): AppendOutcome[] {
    this.#forgetOldNonces(now);
    return batches.map((batch) => this.#appendOne(batch, now));
  }

  newest(place: ConversationKey): number {
    return Number(this.#sql.newest.get(place)?.seq ?? 0);
  }

  eventsAfter(place: ConversationKey, after: number, limit: number): StoredEvent[] {
    return this.#sql.eventsAfter.all(place, after, limit).map((row) => readEvent(place, row));
  }

  byNonce(userId: UserId, nonce: string, now: number): StoredEvent | null {
    const row = this.#sql.nonce.get(userId, nonce);
    if (row === undefined || Number(row.at) <= now - NONCE_MS) return null;
    return this.eventsAfter(row.place as ConversationKey, Number(row.seq) - 1, 1)[0] ?? null;
  }

  published(batches: readonly { readonly place: ConversationKey; readonly first: number }[]): void {
    for (const { place, first } of batches) this.#sql.published.run(place, first);
  }

  unpublished(before: number, limit: number): UnpublishedBatch[] {
    return this.#sql.unpublished.all(before, limit).map((row) => {
      const place = row.place as ConversationKey;
      const first = Number(row.first);
      return { place, first, events: this.eventsAfter(place, first - 1, Number(row.last) - first + 1) };
    });
  }

  #appendOne({ place, first, drafts }: AppendBatch, now: number): AppendOutcome {
    if (drafts.length === 0 || this.newest(place) !== first - 1) return { kind: 'conflict' };
    for (const [index, draft] of drafts.entries()) {
      const event = draft.nonce === null ? null : this.byNonce(draft.userId, draft.nonce, now);
      if (event !== null) return { kind: 'repeated', index, event };
    }
    let seq = first;
    for (const draft of drafts) {
      if (draft.nonce !== null) this.#sql.addNonce.run(draft.userId, draft.nonce, place, seq, now);
      this.#sql.addEvent.run(place, seq, draft.kind, draft.id, eventBody(draft));
      this.#project({ ...draft, place, seq });
      seq += 1;
    }
    this.#sql.addOutbox.run(place, first, seq - 1, now);
    return { kind: 'stored' };
  }

  #project(event: StoredEvent): void {
    const { place, seq, id } = event;
    if (isCreating(event)) {
      const { changes } = this.#sql.addMessage.run(...messageValues(event));
      if (changes === 0) this.#addHole(place, seq);
      return;
    }
    this.#addHole(place, seq);
    if (event.kind === 'modify') {
      this.#sql.editMessage.run(event.content, id, place);
      return;
    }
    const created = this.#sql.removeMessage.get(id, place);
    if (created !== undefined) this.#addHole(place, Number(created.seq));
    this.#blank(place, id, Number(created?.seq ?? 0));
  }

  /** What was deleted must not stay readable in the log. */
  #blank(place: ConversationKey, id: MessageId, createdAt: number): void {
    for (const row of this.#sql.eventsOf.all(place, createdAt, id, place)) {
      const event = blanked(readEvent(place, row));
      this.#sql.rewriteEvent.run(eventBody(event), place, event.seq);
    }
  }

  #addHole(place: ConversationKey, seq: number): void {
    this.#sql.addHole.run(place, holeBucket(seq));
  }

  #forgetOldNonces(now: number): void {
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    this.#sql.forgetNonces.run(now - NONCE_MS);
  }
}

function statements(db: DatabaseSync) {
  const values = MESSAGE_COLUMNS.replace(/\w+/g, '?');
  return {
    newest: db.prepare('SELECT max(seq) AS seq FROM event WHERE place = ?'),
    eventsAfter: db.prepare('SELECT seq, body FROM event WHERE place = ? AND seq > ? ORDER BY seq LIMIT ?'),
    nonce: db.prepare('SELECT place, seq, at FROM nonce WHERE user = ? AND nonce = ?'),
    addNonce: db.prepare('INSERT OR REPLACE INTO nonce (user, nonce, place, seq, at) VALUES (?, ?, ?, ?, ?)'),
    forgetNonces: db.prepare('DELETE FROM nonce WHERE at <= ?'),
    addEvent: db.prepare('INSERT INTO event (place, seq, kind, target, body) VALUES (?, ?, ?, ?, ?)'),
    eventsOf: db.prepare(
      `SELECT seq, body FROM event WHERE place = ? AND seq = ?
       UNION ALL SELECT seq, body FROM event WHERE kind = 'modify' AND target = ? AND place = ?`,
    ),
    rewriteEvent: db.prepare('UPDATE event SET body = ? WHERE place = ? AND seq = ?'),
    addOutbox: db.prepare('INSERT INTO outbox (place, first, last, at) VALUES (?, ?, ?, ?)'),
    published: db.prepare('DELETE FROM outbox WHERE place = ? AND first = ?'),
    unpublished: db.prepare('SELECT place, first, last FROM outbox WHERE at <= ? ORDER BY at, place LIMIT ?'),
    addMessage: db.prepare(`INSERT INTO message (${MESSAGE_COLUMNS}) VALUES (${values}) ON CONFLICT (id) DO NOTHING`),
    editMessage: db.prepare('UPDATE message SET content = ?, edited = 1 WHERE id = ? AND place = ?'),
    removeMessage: db.prepare('DELETE FROM message WHERE id = ? AND place = ? RETURNING seq'),
    addHole: db.prepare(
      'INSERT INTO hole (place, bucket, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
    ),
  };
}
