import type { Caller } from '../../application/commands.ts';
import type { ReplaySink } from '../../application/ports/local-subscribers.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { Connection } from '../transport/connection.ts';
import { destinationOf } from './destinations.ts';
import { type EventBody, REMOVED, resetBody } from './event-body.ts';
import type { MessageBuilder } from './message-builder.ts';

/** Who holds subscriptions: one session, as far as delivery needs it. */
export interface Subscriber {
  readonly connection: Connection;
  readonly caller: Caller;
  /** Begins the links of files that this client is shown. */
  readonly baseUrl: string;
  /** When something was last sent, in ticks of the sweep. */
  sentTick: number;
  /** The subscription was ended from here; its id is free again. */
  ended(subscription: Subscription): void;
}

/** Where subscriptions are entered that wait for events. */
export interface SubscriptionBook {
  /** One that is being brought up to date. */
  begin(subscription: Subscription): void;
  /** From now on it is live. */
  add(subscription: Subscription): void;
  drop(subscription: Subscription): void;
}

/** What all subscriptions of an endpoint share. */
export interface SubscriptionHost {
  readonly index: SubscriptionBook;
  readonly messages: MessageBuilder;
  /** Bytes that may wait for one connection before a replay pauses: live events must find room beside it. */
  readonly replayBytes: number;
  /** Seconds counted by the sweep. */
  readonly tick: number;
}

/** One subscription of one session, from SUBSCRIBE to its end: first it is brought up to date, then it is live. Kept small: there are many. */
export class Subscription implements ReplaySink {
  readonly subscriber: Subscriber;
  /** The id as it stands in frames, escaped as the session's version wants it. */
  readonly wireId: string;
  readonly place: PlaceKey;
  /** Where it stands in the index; -1 while it is not live. Kept by the index. */
  slot = -1;
  #isOver = false;
  readonly #host: SubscriptionHost;

  constructor(subscriber: Subscriber, wireId: string, place: PlaceKey, host: SubscriptionHost) {
    this.subscriber = subscriber;
    this.wireId = wireId;
    this.place = place;
    this.#host = host;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  admitted(): void {
    if (!this.#isOver) this.#host.index.begin(this);
  }

  event(event: StoredEvent): void {
    if (this.#isOver) return;
    const frames = this.#host.messages.event(this.place, event, this.subscriber.baseUrl);
    if (frames !== null) this.#send(frames.text(this.wireId));
  }

  reset(seq: number): void {
    this.#notice(resetBody(seq));
  }

  get isFull(): boolean {
    return this.subscriber.connection.bufferedBytes > this.#host.replayBytes;
  }

  async drained(): Promise<boolean> {
    const { connection } = this.subscriber;
    if (!this.#isOver && this.isFull) await connection.drained();
    return !this.#isOver && connection.isOpen;
  }

  live(): void {
    this.#host.index.add(this);
  }

  /** From now on nothing is sent. */
  end(): void {
    this.#isOver = true;
    this.#host.index.drop(this);
  }

  /** Ends it for someone who is no member any more. */
  remove(): void {
    this.#notice(REMOVED);
    this.end();
    this.subscriber.ended(this);
  }

  #notice(body: EventBody): void {
    if (!this.#isOver) this.#send(this.#host.messages.notice(destinationOf(this.place), body).text(this.wireId));
  }

  #send(text: string): void {
    this.subscriber.sentTick = this.#host.tick;
    this.subscriber.connection.send(text);
  }
}
