import type { DatabaseSync } from 'node:sqlite';
import { EventLog } from './event-log.ts';
import { Jobs } from './jobs.ts';
import { Moderation } from './moderation.ts';
import { Pages } from './pages.ts';
import { StoredContent } from './stored-content.ts';
import { Unread } from './unread.ts';
import type { Calls } from './worker-protocol.ts';

/**
 * Answers calls from the database. Writes expect to run inside of a transaction.
 * @param removed called when texts are removed
 */
export function callsOn(db: DatabaseSync, removed: () => void = () => {}): Calls {
  const log = new EventLog(db, removed);
  const pages = new Pages(db);
  const unread = new Unread(db);
  const moderation = new Moderation(db);
  const content = new StoredContent(db, removed);
  const jobs = new Jobs(db);
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
    entriesOf: (userId) => moderation.entriesOf(userId),
    forgetUser: (userId) => moderation.forgetUser(userId),
    places: (cursor, limit) => content.places(cursor, limit),
    expired: (place, after, before, limit) => content.expired(place, after, before, limit),
    removeExpired: (place, upTo) => content.removeExpired(place, upTo),
    expiredFiles: (before, limit) => content.expiredFiles(before, limit),
    countFiles: (from, before) => content.countFiles(from, before),
    messagesOf: (userId, place, after, limit) => content.messagesOf(userId, place, after, limit),
    eventsOf: (userId, place, from, to) => content.eventsOf(userId, place, from, to),
    anonymiseEvents: (userId, place, from, to) => content.anonymiseEvents(userId, place, from, to),
    anonymiseMessages: (userId, place, ids) => content.anonymiseMessages(userId, place, ids),
    readingOf: (userId, place) => content.readingOf(userId, place),
    forgetReader: (userId, place) => content.forgetReader(userId, place),
    addJob: (job) => jobs.add(job),
    listJobs: () => jobs.list(),
    getJob: (id) => jobs.get(id),
    claimJob: (server, kinds, now, at, leaseMs) => jobs.claim(server, kinds, now, at, leaseMs),
    saveJob: (server, job, at, leaseMs) => jobs.save(server, job, at, leaseMs),
  };
}
