import type { Caller } from '../../src/application/commands.ts';
import type { LocalSubscribers, ReplaySink, Traffic } from '../../src/application/ports/local-subscribers.ts';
import type { Watcher } from '../../src/application/ports/watcher.ts';
import type { ChatEvent } from '../../src/domain/chat-event.ts';
import type { UserId } from '../../src/domain/ids.ts';
import type { PlaceKey } from '../../src/domain/place.ts';
import type { StoredEvent } from '../../src/domain/stored-event.ts';

/** The subscriptions of a test. They record what they hear and are never slow. */
export class TestSubscribers implements LocalSubscribers {
  /** The traffic that the test says it has measured. */
  traffic: Traffic = { seconds: 0, places: [] };
  /** Takes what clients send and get; null while nobody traces. */
  watcher: Watcher | null = null;
  readonly #byPlace = new Map<PlaceKey, Set<TestSubscriber>>();

  /** A subscription that is live at once, without the use case. */
  join(caller: Caller, place: PlaceKey): TestSubscriber {
    const subscriber = this.sink(caller, place);
    subscriber.admitted();
    subscriber.live();
    return subscriber;
  }

  /** A subscription for the use case `subscribe` to admit, bring up to date and make live. */
  sink(caller: Caller, place: PlaceKey): TestSubscriber {
    return new TestSubscriber(caller, (subscriber) => {
      const subscribers = this.#byPlace.get(place) ?? new Set();
      this.#byPlace.set(place, subscribers.add(subscriber));
    });
  }

  deliver(place: PlaceKey, event: ChatEvent): void {
    for (const subscriber of this.#byPlace.get(place) ?? []) if (subscriber.isLive) subscriber.hear(event);
  }

  count(place: PlaceKey): number {
    return this.#byPlace.get(place)?.size ?? 0;
  }

  places(): Iterable<PlaceKey> {
    return this.#byPlace.keys();
  }

  callers(place: PlaceKey): Iterable<Caller> {
    return [...(this.#byPlace.get(place) ?? [])].map(({ caller }) => caller);
  }

  remove(place: PlaceKey, isRemoved: (userId: UserId) => boolean): void {
    const subscribers = this.#byPlace.get(place);
    if (subscribers === undefined) return;
    for (const subscriber of subscribers) {
      if (!isRemoved(subscriber.caller.userId)) continue;
      subscribers.delete(subscriber);
      subscriber.isRemoved = true;
    }
    if (subscribers.size === 0) this.#byPlace.delete(place);
  }

  watch(watcher: Watcher | null): void {
    this.watcher = watcher;
  }

  busiest(): Traffic {
    return this.traffic;
  }
}

/** One subscription and everything that it heard. */
export class TestSubscriber implements ReplaySink {
  readonly caller: Caller;
  /** In the order of delivery, replayed events first. */
  readonly heard: ChatEvent[] = [];
  isAdmitted = false;
  isLive = false;
  isRemoved = false;
  /** The number that a `reset` gave; null for none. */
  resetTo: number | null = null;
  readonly isFull = false;
  readonly #admit: (subscriber: TestSubscriber) => void;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(caller: Caller, admit: (subscriber: TestSubscriber) => void) {
    this.caller = caller;
    this.#admit = admit;
  }

  /** Resolves to the events heard so far once there are at least `count`. */
  async hears(count: number): Promise<readonly ChatEvent[]> {
    if (this.heard.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    return this.heard;
  }

  hear(event: ChatEvent): void {
    this.heard.push(event);
    const ready = this.#waiting.filter(({ count }) => count <= this.heard.length);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.heard.length);
    for (const { resolve } of ready) resolve();
  }

  admitted(): void {
    this.isAdmitted = true;
    this.#admit(this);
  }

  event(event: StoredEvent): void {
    this.hear(event);
  }

  reset(seq: number): void {
    this.resetTo = seq;
  }

  async drained(): Promise<boolean> {
    return true;
  }

  live(): void {
    this.isLive = true;
  }
}
