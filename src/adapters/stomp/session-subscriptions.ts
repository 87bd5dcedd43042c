import { Refusal } from '../../domain/errors.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { type Destination, destinationOf, ERRORS_DESTINATION, EVENTS_DESTINATION } from './destinations.ts';
import type { Subscription } from './subscription.ts';

/**
 * The subscriptions of one connection, by their ids as they stand in frames. A connection has few
 * of them, so lists are searched.
 */
export class SessionSubscriptions {
  #topics: Subscription[] = [];
  /** Ids of the subscriptions to the client's own refused commands. */
  #errorIds: readonly string[] = [];
  /** Ids of the subscriptions to the user's personal events. */
  #eventIds: readonly string[] = [];

  get errorIds(): readonly string[] {
    return this.#errorIds;
  }

  get eventIds(): readonly string[] {
    return this.#eventIds;
  }

  /** Number of all subscriptions. */
  get size(): number {
    return this.#topics.length + this.#errorIds.length + this.#eventIds.length;
  }

  /** The subscribed places, each once, at most `max`. */
  places(max: number): PlaceKey[] {
    return [...new Set(this.#topics.map(({ place }) => place))].slice(0, max);
  }

  isSubscribedTo(place: PlaceKey): boolean {
    return this.#topics.some((topic) => topic.place === place);
  }

  /** The subscription to a place that has this id. */
  find(wireId: string): Subscription | undefined {
    return this.#topics.find((topic) => topic.wireId === wireId);
  }

  /** The destination to which this id is subscribed; null: the id is free. */
  destination(wireId: string): Destination | null {
    if (this.#errorIds.includes(wireId)) return ERRORS_DESTINATION;
    if (this.#eventIds.includes(wireId)) return EVENTS_DESTINATION;
    const topic = this.find(wireId);
    return topic === undefined ? null : destinationOf(topic.place);
  }

  /** @throws Refusal `too-fast` */
  checkRoom(max: number): void {
    if (this.size < max) return;
    throw new Refusal('too-fast', `the connection has ${max} subscriptions, and no more are allowed`);
  }

  add(subscription: Subscription): void {
    this.#topics.push(subscription);
  }

  addErrors(wireId: string): void {
    this.#errorIds = [...this.#errorIds, wireId];
  }

  addEvents(wireId: string): void {
    this.#eventIds = [...this.#eventIds, wireId];
  }

  /** Ends a subscription. Does nothing if there is none with that id. */
  end(wireId: string): void {
    if (this.#errorIds.includes(wireId)) this.#errorIds = this.#errorIds.filter((id) => id !== wireId);
    if (this.#eventIds.includes(wireId)) this.#eventIds = this.#eventIds.filter((id) => id !== wireId);
    const subscription = this.find(wireId);
    subscription?.end();
    if (subscription !== undefined) this.forget(subscription);
  }

  /** Removes a subscription that has ended. Its id is free again. */
  forget(subscription: Subscription): void {
    const index = this.#topics.indexOf(subscription);
    if (index >= 0) this.#topics.splice(index, 1);
  }

  endAll(): void {
    for (const subscription of this.#topics) subscription.end();
    this.#topics = [];
    this.#errorIds = [];
    this.#eventIds = [];
  }
}
