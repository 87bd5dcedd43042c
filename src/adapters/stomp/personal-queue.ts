import type { PersonalListener } from '../../application/ports/personal-listener.ts';
import type { PersonalEvent } from '../../domain/personal-event.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Counts } from './counts.ts';
import { EVENTS_DESTINATION } from './destinations.ts';
import { personalBody } from './event-body.ts';
import type { MessageBuilder } from './message-builder.ts';
import type { SessionSubscriptions } from './session-subscriptions.ts';
import type { Subscriber } from './subscription.ts';
import type { WatchSlot } from './watch-slot.ts';

export interface PersonalQueueParts {
  readonly sessionId: string;
  readonly subscriber: Pick<Subscriber, 'connection' | 'caller' | 'shownId' | 'sentTick'>;
  readonly subscriptions: SessionSubscriptions;
  readonly messages: MessageBuilder;
  readonly sweep: { readonly tick: number };
  readonly counts: Counts;
  readonly watch: WatchSlot;
}

/** Sends the personal events of a user to the subscriptions of one connection. */
export class PersonalQueue implements PersonalListener {
  readonly #parts: PersonalQueueParts;

  constructor(parts: PersonalQueueParts) {
    this.#parts = parts;
  }

  get sessionId(): string {
    return this.#parts.sessionId;
  }

  isSubscribedTo(place: PlaceKey): boolean {
    return this.#parts.subscriptions.isSubscribedTo(place);
  }

  hear(event: PersonalEvent): void {
    const { subscriber, subscriptions, messages, sweep, counts, watch } = this.#parts;
    const frames = messages.notice(EVENTS_DESTINATION, personalBody(event));
    watch.watcher?.saw({
      step: 'delivered',
      kind: event.kind,
      userId: subscriber.caller.userId,
      session: subscriber.shownId,
      place: event.place,
      seq: 'seq' in event ? event.seq : null,
    });
    subscriber.sentTick = sweep.tick;
    counts.sent.personal += subscriptions.eventIds.length;
    for (const wireId of subscriptions.eventIds) subscriber.connection.send(frames.text(wireId));
  }
}
