import type { ChatEvent } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Caller } from '../commands.ts';

/**
 * The subscriptions of clients that are connected to this server, by place. Everything here is synchronous and must not throw:
 * a slow client is the adapter's to deal with.
 */
export interface LocalSubscribers {
  /** Hands an event to every subscription of that place, in the order of calls. */
  deliver(place: PlaceKey, event: ChatEvent): void;
  /** How many subscriptions it has. */
  count(place: PlaceKey): number;
  /** Places that have a subscription now. */
  places(): Iterable<PlaceKey>;
  /** Who is subscribed there; a caller may come up more than once. */
  callers(place: PlaceKey): Iterable<Caller>;
  /** Ends the subscriptions of these users to that place: each gets one `{"type":"removed"}`, then nothing. */
  remove(place: PlaceKey, isRemoved: (userId: UserId) => boolean): void;
}

/** One subscription that is being brought up to date. */
export interface ReplaySink {
  /** The caller may hear what is there, until `remove` ends it. Comes before anything else. */
  admitted(): void;
  /** The next event of the replay. */
  event(event: StoredEvent): void;
  /** The window does not reach back: start over from `seq`. */
  reset(seq: number): void;
  /** So much waits for the client that the next event must wait until `drained`. */
  readonly isFull: boolean;
  /** Resolves when the sink is not full any more, at once where it is not; false when the connection is gone. */
  drained(): Promise<boolean>;
  /** From now on the subscription is live: called in the same tick in which the replay reached the place's newest event. */
  live(): void;
}
