import type { DatabaseSync } from 'node:sqlite';
import type { StoredOrder } from '../../application/ports/moderation-store.ts';
import type { UserId } from '../../domain/ids.ts';
import {
  endOf,
  MAX_SLOW_MODE_SECONDS,
  type ModerationOrder,
  subjectOf,
  tellsOf,
  withoutPerson,
} from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';
import { readOrder, writeOrder } from '../support/moderation-order.ts';

/** An order is kept for this long after its end. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** The tables `moderation` and `slow_turn`, on the database thread. */
export class Moderation {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      add: db.prepare('INSERT INTO moderation (subject, ends, admin, at, body) VALUES (?, ?, ?, ?, ?)'),
      removeEarlier: db.prepare('DELETE FROM moderation WHERE subject = ? AND seq < ?'),
      removeEnded: db.prepare('DELETE FROM moderation WHERE ends < ? AND seq < ?'),
      after: db.prepare('SELECT seq, admin, at, body FROM moderation WHERE seq > ? ORDER BY seq LIMIT ?'),
      turn: db.prepare('SELECT at FROM slow_turn WHERE place = ? AND user = ?'),
      take: db.prepare(
        'INSERT INTO slow_turn VALUES (?, ?, ?) ON CONFLICT (place, user) DO UPDATE SET at = excluded.at',
      ),
      removeTurns: db.prepare('DELETE FROM slow_turn WHERE at < ?'),
      ofUser: db.prepare('SELECT seq, at, body FROM moderation WHERE subject IN (?, ?) OR subject GLOB ?'),
      rewrite: db.prepare('UPDATE moderation SET subject = ?, ends = ?, body = ? WHERE seq = ?'),
      countTurnsOf: db.prepare('SELECT count(*) AS turns FROM slow_turn WHERE user = ?'),
      removeTurnsOf: db.prepare('DELETE FROM slow_turn WHERE user = ?'),
    };
  }

  append(order: ModerationOrder, admin: string, now: number): number {
    const { add, removeEarlier, removeEnded } = this.#statements;
    const subject = subjectOf(order);
    const { lastInsertRowid } = add.run(subject, endOf(order, now), admin, now, JSON.stringify(writeOrder(order)));
    const seq = Number(lastInsertRowid);
    removeEarlier.run(subject, seq);
    removeEnded.run(now - KEPT_MS, seq);
    return seq;
  }

  ordersAfter(after: number, limit: number): StoredOrder[] {
    return this.#statements.after.all(after, limit).map(({ seq, admin, at, body }) => ({
      seq: Number(seq),
      order: readOrder(JSON.parse(String(body))),
      admin: String(admin),
      at: Number(at),
    }));
  }

  takeTurn(place: ConversationKey, userId: UserId, intervalMs: number, now: number): number {
    const { turn, take, removeTurns } = this.#statements;
    const last = turn.get(place, userId);
    // A turn in the future is one from before the clock was set back.
    const waitMs = last === undefined || Number(last.at) > now ? 0 : Number(last.at) + intervalMs - now;
    if (waitMs > 0) return waitMs;
    take.run(place, userId, now);
    removeTurns.run(now - MAX_SLOW_MODE_SECONDS * 1000);
    return 0;
  }

  entriesOf(userId: UserId): number {
    return Number(this.#statements.countTurnsOf.get(userId)?.turns) + this.#ordersOf(userId).length;
  }

  forgetUser(userId: UserId): number {
    const { rewrite, removeTurnsOf } = this.#statements;
    let changed = Number(removeTurnsOf.run(userId).changes);
    for (const { seq, at, order } of this.#ordersOf(userId)) {
      const without = withoutPerson(order);
      rewrite.run(subjectOf(without), endOf(without, at), JSON.stringify(writeOrder(without)), seq);
      changed += 1;
    }
    return changed;
  }

  /** The orders that an erasure of the user changes. */
  #ordersOf(userId: UserId): { seq: number; at: number; order: ModerationOrder }[] {
    const rows = this.#statements.ofUser.all(`ban/${userId}`, `disconnect/${userId}`, `mute/${userId}/*`);
    return rows.flatMap(({ seq, at, body }) => {
      const order = readOrder(JSON.parse(String(body)));
      return order !== null && tellsOf(userId, order) ? [{ seq: Number(seq), at: Number(at), order }] : [];
    });
  }
}
