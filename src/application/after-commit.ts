import { isCreating } from '../domain/stored-event.ts';
import type { Notifications } from './messages/notifications.ts';
import type { Feeds } from './ordering/feeds.ts';
import type { Publisher } from './ordering/publisher.ts';
import type { AfterCommit } from './ordering/sequencer.ts';
import type { UnreadNotices } from './personal/unread-notices.ts';

/**
 * The steps after a batch of events is stored, in this order:
 *
 * 1. The feed of the place hands the events to the subscribers of this server.
 * 2. The publisher brings them to the other servers. If the bus is away, they stay in the outbox
 *    and are published later.
 * 3. Users who listen to their personal events are notified of unread messages.
 * 4. Members who do not look at the place are notified of new messages.
 *
 * Nothing here waits or throws. The sender's receipt is written after step 1 and does not wait for
 * the other steps.
 */
export function afterCommit(parts: {
  readonly feeds: Feeds;
  readonly publisher: Publisher;
  readonly notifications: Notifications;
  readonly unreadNotices: UnreadNotices;
}): AfterCommit {
  const { feeds, publisher, notifications, unreadNotices } = parts;
  return (place, events, since, traces = null) => {
    feeds.stored(place, events, since, traces);
    const [first] = events;
    if (first !== undefined)
      publisher.stored({ place, first: first.seq, events, ...(traces === null ? {} : { traces }) });
    unreadNotices.stored(place, events);
    for (const [i, event] of events.entries()) if (isCreating(event)) notifications.about(event, traces?.[i] ?? null);
  };
}
