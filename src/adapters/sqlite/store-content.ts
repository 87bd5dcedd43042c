import { DatabaseSync } from 'node:sqlite';
import type {
  KeptMessage,
  LogEntry,
  RepeatedNonce,
  StoreContent,
} from '../../application/verification/store-content.ts';
import { NONCE_LIFETIME_MS } from '../../domain/nonce.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { STORED_KIND_NAMES, STORED_KINDS } from '../../domain/stored-event.ts';
import { type Row, readEvent } from './rows.ts';
import { NEWEST_SCHEMA, schemaVersion } from './schema.ts';

/** Reads a SQLite file that no server uses, such as a copy. Changes nothing. */
export class SqliteStoreContent implements StoreContent {
  readonly #db: DatabaseSync;

  /** @throws Error with a human-readable message if the file is no database of this version */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true });
    try {
      const schema = schemaVersion(this.#db, path);
      if (schema < NEWEST_SCHEMA) {
        throw new Error(
          `${path} has schema ${schema}; start this version on it once, which brings it to ${NEWEST_SCHEMA}`,
        );
      }
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  async *places(): AsyncIterable<ConversationKey> {
    const sql = 'SELECT place FROM place_end UNION SELECT DISTINCT place FROM event ORDER BY place';
    for (const { place } of this.#rows(sql)) yield place as ConversationKey;
  }

  async newest(place: ConversationKey): Promise<number> {
    return this.#number(
      `SELECT max(coalesce((SELECT seq FROM place_end WHERE place = ?1), 0),
        coalesce((SELECT max(seq) FROM event WHERE place = ?1), 0)) AS value`,
      place,
    );
  }

  async *log(place: ConversationKey): AsyncIterable<LogEntry> {
    for (const row of this.#rows('SELECT seq, kind, body FROM event WHERE place = ? ORDER BY seq', place)) {
      yield { kind: 'event', event: readEvent(place, row), isLoose: false };
    }
  }

  async *messages(place: ConversationKey): AsyncIterable<KeptMessage> {
    for (const row of this.#rows('SELECT id, seq, content FROM message WHERE place = ?', place)) {
      yield { id: String(row.id), seq: Number(row.seq), content: String(row.content ?? '') };
    }
  }

  async holes(place: ConversationKey): Promise<number> {
    return this.#number('SELECT coalesce(sum(count), 0) AS value FROM hole WHERE place = ?', place);
  }

  async *repeatedNonces(): AsyncIterable<RepeatedNonce> {
    const creating = STORED_KIND_NAMES.filter((kind) => STORED_KINDS[kind].creates).map((kind) => `'${kind}'`);
    const sql = `SELECT body ->> 'userId' AS user, body ->> 'nonce' AS nonce, count(*) AS count FROM event
      WHERE kind IN (${creating}) AND body ->> 'nonce' IS NOT NULL
      GROUP BY 1, 2 HAVING count(*) > 1 AND max(body ->> 'time') - min(body ->> 'time') < ${NONCE_LIFETIME_MS}`;
    for (const { user, nonce, count } of this.#rows(sql)) {
      yield { userId: Number(user), nonce: String(nonce), count: Number(count) };
    }
  }

  #rows(sql: string, ...values: string[]): Iterable<Row> {
    return this.#db.prepare(sql).iterate(...values);
  }

  #number(sql: string, ...values: string[]): number {
    return Number(this.#db.prepare(sql).get(...values)?.value ?? 0);
  }
}
