import { isCreating, type StoredEvent } from '../domain/stored-event.ts';
import type { Notifications } from './messages/notifications.ts';
import type { Feeds } from './ordering/feeds.ts';
import type { Publisher } from './ordering/publisher.ts';
import { recordsOf } from './ordering/records-of.ts';
import type { AfterCommit, Traces } from './ordering/sequencer.ts';
import type { UnreadNotices } from './personal/unread-notices.ts';
import type { OutgoingRecord } from './ports/message-bus.ts';
import type { SiblingWorkers } from './ports/sibling-workers.ts';

/**
 * The steps after a batch of events is stored, in this order:
 *
 * 1. The feed of the place hands the events to the subscribers of this server.
 * 2. The other workers of this machine get them, if there are any.
 * 3. The publisher brings them to the other servers. If the bus is away, they stay in the outbox
 *    and are published later.
 * 4. Users who listen to their personal events are notified of unread messages.
 * 5. Members who do not look at the place are notified of new messages.
 *
 * Nothing here waits or throws. The sender's receipt is written after step 1 and does not wait for
 * the other steps.
 */
export function afterCommit(parts: {
  readonly feeds: Feeds;
  /** Null: this server has no other workers that need the events. */
  readonly siblings: SiblingWorkers | null;
  readonly publisher: Publisher;
  readonly notifications: Notifications;
  readonly unreadNotices: UnreadNotices;
}): AfterCommit {
  const { feeds, siblings, publisher, notifications, unreadNotices } = parts;
  return (place, events, since, traces = null) => {
    feeds.stored(place, events, since, traces);
    siblings?.send(traces === null ? recordsOf(events) : tracedRecordsOf(events, traces));
    const [first] = events;
    if (first !== undefined)
      publisher.stored({ place, first: first.seq, events, ...(traces === null ? {} : { traces }) });
    unreadNotices.stored(place, events);
    for (const [i, event] of events.entries()) if (isCreating(event)) notifications.about(event, traces?.[i] ?? null);
  };
}

function tracedRecordsOf(events: readonly StoredEvent[], traces: Traces): OutgoingRecord[] {
  return recordsOf(events).map((record, i) => {
    const trace = traces?.[i] ?? null;
    return trace === null ? record : { ...record, trace };
  });
}
