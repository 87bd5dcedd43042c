import type { ChatEvent } from '../../domain/chat-event.ts';
import type { ShownTraffic } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Caller } from '../commands.ts';
import type { Watcher } from './watcher.ts';

/** Where and when the way of an event through this server began. */
export interface Origin {
  /** `local`: a client of this server sent it. `bus`: another server's record brought it. */
  readonly path: 'local' | 'bus';
  /**
   * On the monotonic clock, in milliseconds: when the client's command was read, or the record was
   * heard.
   */
  readonly since: number;
  /** Position of the event in a trace; not given without one. */
  readonly trace?: string;
}

/**
 * The live subscriptions of the clients that are connected to this server.
 *
 * Delivery: each subscription of a place gets each event once, in the order of the calls. The
 * adapter deals with slow clients: it may leave out events of low value (typing, presence), and
 * closes a connection whose queue is full. Errors: all methods are synchronous and never throw.
 * Close: a connection that ends takes its subscriptions with it.
 */
export interface LocalSubscribers {
  /**
   * Hands an event to every subscription of that place.
   * @param origin with it, the adapter measures how long the event took to the last socket
   */
  deliver(place: PlaceKey, event: ChatEvent, origin?: Origin | null): void;
  /** The number of subscriptions of that place. */
  count(place: PlaceKey): number;
  /**
   * The places that have a subscription now. The result may be iterated while subscriptions end.
   */
  places(): Iterable<PlaceKey>;
  /**
   * The users of the subscriptions of that place. A user with several subscriptions occurs several
   * times.
   */
  callers(place: PlaceKey): Iterable<Caller>;
  /**
   * Ends the subscriptions of these users to that place, also those that are still being brought up
   * to date. The client of each gets one `{"type":"removed"}`, and then nothing more.
   */
  remove(place: PlaceKey, isRemoved: (userId: UserId) => boolean): void;
  /**
   * The places with the most traffic in the last seconds, the busiest first, at most `max`. The
   * first call begins to count, with `seconds` 0 and no places. The adapter ends counting some
   * seconds after the last call, so that deliveries cost nothing more while nobody asks.
   */
  busiest(max: number): Traffic;
  /**
   * From now on, the adapter shows the watcher what clients send and get: sessions, frames,
   * refusals and deliveries. Null: nobody watches, and nothing of it may cost more than a check.
   */
  watch(watcher: Watcher | null): void;
}

/** What the busiest places had within some seconds. */
export interface Traffic {
  readonly seconds: number;
  readonly places: readonly ShownTraffic[];
}

/**
 * One subscription that is being brought up to date. Calls come in this order: `admitted`, any
 * number of `event`, at most one `reset`, `live`. A subscription that has ended ignores them.
 */
export interface ReplaySink {
  /** The caller may read the place. From now on `remove` can end the subscription. */
  admitted(): void;
  /** The next event of the replay. */
  event(event: StoredEvent): void;
  /**
   * The stored window does not reach back to the requested number. The client must start over from
   * `seq`.
   */
  reset(seq: number): void;
  /** True if so many bytes wait for the client that the next event must wait for `drained`. */
  readonly isFull: boolean;
  /**
   * Resolves when the sink is not full any more. False if the connection is gone or the
   * subscription has ended.
   */
  drained(): Promise<boolean>;
  /**
   * The subscription is live from now on. Called in the same tick in which the replay reached the
   * newest event of the place.
   */
  live(): void;
}
