import type { MessagePort } from 'node:worker_threads';
import type { Job, JobKind } from '../../application/ports/job-store.ts';
import type { AppendBatch, AppendOutcome, HistoryPage } from '../../application/ports/message-store.ts';
import type { StoredOrder } from '../../application/ports/moderation-store.ts';
import type { BatchKey, UnpublishedBatch } from '../../application/ports/outbox.ts';
import type { ReadPosition, UnreadCount } from '../../application/ports/read-markers.ts';
import type { ExpiredPart, PlacesPart } from '../../application/ports/stored-data.ts';
import type { HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ModerationOrder } from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent, StoredEvent } from '../../domain/stored-event.ts';

type Places = readonly ConversationKey[];

/**
 * The calls that the database thread answers. Arguments and results are values that can be copied
 * between threads.
 */
export interface Calls {
  append(batches: readonly AppendBatch[], now: number): AppendOutcome[];
  published(batches: readonly BatchKey[]): void;
  mark(userId: UserId, places: Places): ReadPosition[];
  markUpTo(userId: UserId, place: ConversationKey, seq: number): number;
  newest(places: Places): Map<ConversationKey, number>;
  eventsAfter(place: ConversationKey, after: number, limit: number): SequencedEvent[];
  messages(place: ConversationKey, ids: readonly MessageId[]): Map<MessageId, Message>;
  history(place: ConversationKey, range: HistoryRange): HistoryPage;
  byNonce(userId: UserId, nonce: string, now: number): SequencedEvent | null;
  unpublished(before: number, now: number, limit: number): UnpublishedBatch[];
  unread(userId: UserId, places: Places): UnreadCount[];
  appendOrder(order: ModerationOrder, admin: string, now: number): number;
  ordersAfter(after: number, limit: number): StoredOrder[];
  takeTurn(place: ConversationKey, userId: UserId, intervalMs: number, now: number): number;
  entriesOf(userId: UserId): number;
  forgetUser(userId: UserId): number;
  places(cursor: string | null, limit: number): PlacesPart;
  expired(place: ConversationKey, after: number, before: number, limit: number): ExpiredPart;
  removeExpired(place: ConversationKey, upTo: number): void;
  expiredFiles(before: number, limit: number): Message[];
  countFiles(from: number, before: number): number;
  messagesOf(userId: UserId, place: ConversationKey, after: MessageId | null, limit: number): Message[];
  eventsOf(userId: UserId, place: ConversationKey, from: number, to: number): StoredEvent[];
  anonymiseEvents(userId: UserId, place: ConversationKey, from: number, to: number): void;
  anonymiseMessages(userId: UserId, place: ConversationKey, ids: readonly MessageId[]): void;
  readingOf(userId: UserId, place: ConversationKey): ReadPosition | null;
  forgetReader(userId: UserId, place: ConversationKey): void;
  addJob(job: Job): void;
  listJobs(): Job[];
  getJob(id: string): Job | null;
  claimJob(server: string, kinds: readonly JobKind[], now: number, at: number, leaseMs: number): Job | null;
  saveJob(server: string, job: Job, at: number, leaseMs: number): boolean;
}

export type CallName = keyof Calls;

const WRITES: ReadonlySet<CallName> = new Set<CallName>([
  ...(['append', 'published', 'mark', 'markUpTo', 'appendOrder', 'takeTurn'] as const),
  ...(['removeExpired', 'anonymiseEvents', 'anonymiseMessages', 'forgetReader', 'forgetUser'] as const),
  ...(['addJob', 'claimJob', 'saveJob'] as const),
]);

/** Writes that change nothing more when they are repeated. */
const REPEATABLE_WRITES: ReadonlySet<CallName> = new Set<CallName>(['published', 'mark', 'markUpTo']);

export function isWrite(name: CallName): boolean {
  return WRITES.has(name);
}

/** True if a call whose answer was lost can be made again. */
export function isRepeatable(name: CallName): boolean {
  return !isWrite(name) || REPEATABLE_WRITES.has(name);
}

/** The start of the database thread. */
export interface WorkerData {
  readonly path: string;
  /** Of the socket at which a shared file is served. */
  readonly socketPath?: string | undefined;
  /** Takes the path of each copy to be written, and answers with one {@link BackupAnswer} each. */
  readonly backups: MessagePort;
}

/** The end of a copy; null: it is complete. */
export interface BackupAnswer {
  readonly error: string | null;
}

/** A call on its way to the database thread. `id` is unique within the database object. */
export interface Call {
  readonly id: number;
  readonly name: CallName;
  readonly args: readonly unknown[];
}

/** The calls of one tick of the main thread, or the order to close the file. */
export type Request = readonly Call[] | 'close';

/** The result of the call with the same id, or its error. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: DatabaseFailure };

/** An error of SQLite in a form that can be copied between threads. */
export interface DatabaseFailure {
  readonly message: string;
  /** SQLite's result code, e.g. 13 for a full disk. Null for an error of another origin. */
  readonly errcode: number | null;
}
