import type { DatabaseSync } from 'node:sqlite';
import { EventLog } from './event-log.ts';
import { Moderation } from './moderation.ts';
import { Pages } from './pages.ts';
import { Unread } from './unread.ts';
import type { Calls } from './worker-protocol.ts';

/**
 * Answers calls from the database. Writes expect to run inside of a transaction.
 * @param removed called for each deletion of a message
 */
export function callsOn(db: DatabaseSync, removed: () => void = () => {}): Calls {
  const log = new EventLog(db, removed);
  const pages = new Pages(db);
  const unread = new Unread(db);
  const moderation = new Moderation(db);
  return {
    append: (batches, now) => log.append(batches, now),
    published: (batches) => log.published(batches),
    mark: (userId, places) =>
      [...new Set(places)].map((place) => ({ place, seq: unread.mark(userId, place, log.newest(place)) })),
    markUpTo: (userId, place, seq) => unread.mark(userId, place, Math.min(seq, log.newest(place))),
    newest: (places) => new Map(places.map((place) => [place, log.newest(place)])),
    eventsAfter: (place, after, limit) => log.eventsAfter(place, after, limit),
    messages: (place, ids) => pages.messages(place, ids),
    history: (place, range) => pages.history(place, range, log.newest(place)),
    byNonce: (userId, nonce, now) => log.byNonce(userId, nonce, now),
    unpublished: (before, now, limit) => log.unpublished(before, now, limit),
    unread: (userId, places) => places.map((place) => unread.count(userId, place, log.newest(place))),
    appendOrder: (order, admin, now) => moderation.append(order, admin, now),
    ordersAfter: (after, limit) => moderation.ordersAfter(after, limit),
    takeTurn: (place, userId, intervalMs, now) => moderation.takeTurn(place, userId, intervalMs, now),
  };
}
