import type { DatabaseSync } from 'node:sqlite';
import type { AppendBatch, AppendOutcome, HistoryPage } from '../../application/ports/message-store.ts';
import type { UnpublishedBatch } from '../../application/ports/outbox.ts';
import type { UnreadCount } from '../../application/ports/read-markers.ts';
import type { HistoryRange } from '../../domain/history.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SequencedEvent } from '../../domain/stored-event.ts';
import { EventLog } from './event-log.ts';
import { Pages } from './pages.ts';
import { Unread } from './unread.ts';

type Places = readonly ConversationKey[];
type BatchKeys = readonly { readonly place: ConversationKey; readonly first: number }[];

/** What the thread that owns the file can be asked: arguments and result of each call, all of it copyable between threads. */
export interface Calls {
  append(batches: readonly AppendBatch[], now: number): AppendOutcome[];
  published(batches: BatchKeys): void;
  mark(userId: UserId, places: Places, time: number): void;
  newest(places: Places): Map<ConversationKey, number>;
  eventsAfter(place: ConversationKey, after: number, limit: number): SequencedEvent[];
  messages(place: ConversationKey, ids: readonly MessageId[]): Map<MessageId, Message>;
  history(place: ConversationKey, range: HistoryRange): HistoryPage;
  byNonce(userId: UserId, nonce: string, now: number): SequencedEvent | null;
  unpublished(before: number, limit: number): UnpublishedBatch[];
  unread(userId: UserId, places: Places): UnreadCount[];
}

export type CallName = keyof Calls;

const WRITES: ReadonlySet<CallName> = new Set<CallName>(['append', 'published', 'mark']);

export function isWrite(name: CallName): boolean {
  return WRITES.has(name);
}

export function callsOn(db: DatabaseSync): Calls {
  const log = new EventLog(db);
  const pages = new Pages(db);
  const unread = new Unread(db);
  return {
    append: (batches, now) => log.append(batches, now),
    published: (batches) => log.published(batches),
    mark: (userId, places, time) => unread.mark(userId, places, time),
    newest: (places) => new Map(places.map((place) => [place, log.newest(place)])),
    eventsAfter: (place, after, limit) => log.eventsAfter(place, after, limit),
    messages: (place, ids) => pages.messages(place, ids),
    history: (place, range) => pages.history(place, range, log.newest(place)),
    byNonce: (userId, nonce, now) => log.byNonce(userId, nonce, now),
    unpublished: (before, limit) => log.unpublished(before, limit),
    unread: (userId, places) =>
      places.map((place) => {
        const seq = log.newest(place);
        return unread.of(userId, place, pages.count(place, seq), seq);
      }),
  };
}
