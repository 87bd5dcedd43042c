import type { Caller } from '../../application/commands.ts';
import type { ReplaySink } from '../../application/ports/local-subscribers.ts';
import { factsOf } from '../../application/traces/event-facts.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { StoredEvent } from '../../domain/stored-event.ts';
import type { SeenStep } from '../../domain/trace.ts';
import type { Connection } from '../transport/connection.ts';
import type { Counts } from './counts.ts';
import { destinationOf } from './destinations.ts';
import { type EventBody, REMOVED, resetBody } from './event-body.ts';
import type { MessageBuilder } from './message-builder.ts';
import type { WatchSlot } from './watch-slot.ts';

/** The owner of subscriptions: a session, as far as delivery needs it. */
export interface Subscriber {
  readonly connection: Connection;
  readonly caller: Caller;
  /** The beginning of the session's id, as operators see it; null before CONNECT. */
  readonly shownId: string | null;
  /** Base of the file links that this client is shown. */
  readonly baseUrl: string;
  /** True while the client is subscribed to its refusals: it knows messages of newer kinds. */
  readonly hearsErrors: boolean;
  /** Tick of the sweep when something was last sent. */
  sentTick: number;
  /** The server ended the subscription. Its id is free again. */
  ended(subscription: Subscription): void;
}

/** Registers the subscriptions that wait for events. */
export interface SubscriptionBook {
  /** The subscription is being brought up to date. */
  begin(subscription: Subscription): void;
  /** The subscription is live from now on. */
  add(subscription: Subscription): void;
  drop(subscription: Subscription): void;
}

/** The parts that all subscriptions of an endpoint share. */
export interface SubscriptionHost {
  readonly index: SubscriptionBook;
  readonly messages: MessageBuilder;
  /**
   * Bytes that may wait for one connection before a replay pauses. The rest of the limit is for
   * live events.
   */
  readonly replayBytes: number;
  /** Tick of the sweep. */
  readonly tick: number;
  readonly counts: Counts;
  readonly watch: WatchSlot;
}

export interface SubscriptionParts {
  readonly subscriber: Subscriber;
  readonly wireId: string;
  readonly place: PlaceKey;
  /** True if the client gave `last-seq`. */
  readonly resumes: boolean;
  /** The subscription of the same id that this one replaces when it is admitted, or null. */
  readonly replaced: Subscription | null;
  readonly host: SubscriptionHost;
}

/**
 * One subscription of one session. It is first brought up to date, then it is live.
 * There are many of them, so they have few fields.
 */
export class Subscription implements ReplaySink {
  readonly subscriber: Subscriber;
  /** The id as it stands in frames, escaped for the version of the session. */
  readonly wireId: string;
  readonly place: PlaceKey;
  /** Position in the index, which sets it; -1 while the subscription is not live. */
  slot = -1;
  #isOver = false;
  readonly #resumes: boolean;
  /** The subscription of the same id that this one replaces when it is admitted. */
  #replaced: Subscription | null;
  readonly #host: SubscriptionHost;

  constructor(parts: SubscriptionParts) {
    this.subscriber = parts.subscriber;
    this.wireId = parts.wireId;
    this.place = parts.place;
    this.#resumes = parts.resumes;
    this.#replaced = parts.replaced;
    this.#host = parts.host;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  admitted(): void {
    const replaced = this.#replaced;
    this.#replaced = null;
    if (this.#isOver) return;
    this.#host.index.begin(this);
    if (replaced === null) return;
    replaced.end();
    this.subscriber.ended(replaced);
  }

  event(event: StoredEvent): void {
    if (this.#isOver) return;
    const frames = this.#host.messages.event(this.place, event, this.subscriber.baseUrl);
    if (frames === null) return;
    this.#host.counts.sent.replay += 1;
    this.#watched({ step: 'replayed', ...factsOf(event) });
    this.#send(frames.text(this.wireId));
  }

  reset(seq: number): void {
    this.#notice('reset', resetBody(seq));
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

  /** Ends the subscription. Nothing is sent from now on. */
  end(): void {
    this.#isOver = true;
    this.#host.index.drop(this);
  }

  /**
   * Ends the subscription because the user is no longer a member. Older clients fail on types that
   * they do not know, so only a client that uses a newer feature is notified.
   */
  remove(): void {
    if (this.#resumes || this.subscriber.hearsErrors) this.#notice('removed', REMOVED);
    this.end();
    this.subscriber.ended(this);
  }

  #notice(kind: 'reset' | 'removed', body: EventBody): void {
    if (this.#isOver) return;
    this.#watched({ step: 'delivered', kind, seq: body.seq });
    this.#host.counts.sent.notice += 1;
    this.#send(this.#host.messages.notice(destinationOf(this.place), body).text(this.wireId));
  }

  #watched(seen: SeenStep): void {
    const { caller, shownId } = this.subscriber;
    this.#host.watch.watcher?.saw({ ...seen, userId: caller.userId, session: shownId, place: this.place });
  }

  #send(text: string): void {
    this.subscriber.sentTick = this.#host.tick;
    this.subscriber.connection.send(text);
  }
}
