import type { Watcher } from '../../application/ports/watcher.ts';
import { factsOf } from '../../application/traces/event-facts.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Frame } from './decoder.ts';
import { parseDestination } from './destinations.ts';
import { isLowValue } from './event-body.ts';
import { placeOfSend, receivedKind } from './send-routes.ts';
import type { Subscription } from './subscription.ts';

/** A session that a trace may follow. */
export interface WatchedSession {
  readonly userId: UserId;
  /** The beginning of the session's id. */
  readonly session: string | null;
}

/**
 * Shows a frame of a client to the traces. Returns the frame's place; null where it names none.
 */
export function watchFrame(
  watcher: Watcher,
  who: WatchedSession,
  { command, headers, body }: Frame,
  maxDepth: number,
): PlaceKey | null {
  if (!watcher.users.has(who.userId) && watcher.places.size === 0) return null;
  const destination = headers.get('destination') ?? '';
  const place =
    command === 'SEND'
      ? placeOfSend(destination, body, maxDepth)
      : command === 'SUBSCRIBE'
        ? parseDestination(destination)
        : null;
  watcher.saw({ step: 'sent', kind: receivedKind(command, headers), ...who, place });
  return place;
}

/**
 * Shows the delivery of an event to the traces, before it happens: once to those of the place, and
 * for each subscription to those of its user.
 */
export function watchDelivery(
  watcher: Watcher,
  place: PlaceKey,
  event: ChatEvent,
  audience: readonly Subscription[],
  slowBytes: number,
): void {
  const facts = { ...factsOf(event), place };
  if (watcher.places.has(place)) watcher.saw({ step: 'delivered', ...facts, count: audience.length }, 'place');
  if (watcher.users.size === 0) return;
  for (const { subscriber } of audience) {
    const { caller, connection, shownId } = subscriber;
    if (!watcher.users.has(caller.userId)) continue;
    const isSkipped = isLowValue(event) && connection.bufferedBytes > slowBytes;
    watcher.saw(
      { step: isSkipped ? 'skipped' : 'delivered', ...facts, userId: caller.userId, session: shownId },
      'user',
    );
  }
}
