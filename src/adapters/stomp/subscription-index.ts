import type { Caller } from '../../application/commands.ts';
import type { LocalSubscribers, Origin, Traffic } from '../../application/ports/local-subscribers.ts';
import type { Span, Spans } from '../../application/ports/spans.ts';
import type { Watcher } from '../../application/ports/watcher.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { isStored } from '../../domain/stored-event.ts';
import { type Counts, sentKind } from './counts.ts';
import type { DeliveryTimes } from './delivery-times.ts';
import { hasLinks, isLowValue } from './event-body.ts';
import type { MessageBuilder } from './message-builder.ts';
import type { MessageFrames } from './message-frame.ts';
import type { PlaceTraffic } from './place-traffic.ts';
import type { Subscription, SubscriptionBook } from './subscription.ts';
import type { WatchSlot } from './watch-slot.ts';
import { watchDelivery } from './watched.ts';

export interface SubscriptionIndexParts {
  readonly messages: MessageBuilder;
  /** Connections with more bytes waiting get no events of low value. */
  readonly slowBytes: number;
  readonly sweep: { readonly tick: number };
  readonly counts: Counts;
  readonly times: DeliveryTimes;
  readonly traffic: PlaceTraffic;
  readonly watch: WatchSlot;
  /** Null or missing: nothing is traced. */
  readonly spans?: Spans | null;
}

/** The live subscriptions of each place. Adding and removing take constant time. */
export class SubscriptionIndex implements LocalSubscribers, SubscriptionBook {
  readonly #live = new Map<PlaceKey, Subscription[]>();
  /**
   * Subscriptions that are being brought up to date. They are not live, but a removal ends them
   * too.
   */
  readonly #replaying = new Set<Subscription>();
  readonly #parts: SubscriptionIndexParts;

  constructor(parts: SubscriptionIndexParts) {
    this.#parts = parts;
  }

  begin(subscription: Subscription): void {
    this.#replaying.add(subscription);
  }

  add(subscription: Subscription): void {
    // A second call, or a call after the end, does nothing.
    if (!this.#replaying.delete(subscription)) return;
    const audience = this.#live.get(subscription.place);
    subscription.slot = audience?.length ?? 0;
    if (audience === undefined) this.#live.set(subscription.place, [subscription]);
    else audience.push(subscription);
    this.#parts.counts.subscriptions += 1;
  }

  drop(subscription: Subscription): void {
    this.#replaying.delete(subscription);
    if (subscription.slot < 0) return;
    const audience = this.#live.get(subscription.place);
    const last = audience?.pop();
    if (audience === undefined || last === undefined) return;
    if (last !== subscription) {
      audience[subscription.slot] = last;
      last.slot = subscription.slot;
    }
    subscription.slot = -1;
    this.#parts.counts.subscriptions -= 1;
    if (audience.length === 0) this.#live.delete(subscription.place);
  }

  deliver(place: PlaceKey, event: ChatEvent, origin: Origin | null = null): void {
    const audience = this.#live.get(place);
    const { counts, times, messages, traffic, watch, slowBytes } = this.#parts;
    if (traffic.isCounting) traffic.add(place, audience?.length ?? 0);
    if (watch.watcher !== null) watchDelivery(watch.watcher, place, event, audience ?? [], slowBytes);
    if (audience === undefined) return;
    const span = origin?.trace === undefined ? null : this.#beginSpan(place, event, origin, origin.trace);
    const before = counts.delivered;
    if (hasLinks(event)) this.#deliverLinks(place, audience, event);
    else this.#deliverTo(audience, messages.event(place, event, ''), isLowValue(event));
    counts.sent[sentKind(event)] += counts.delivered - before;
    if (origin !== null) times.written(origin, span);
  }

  count(place: PlaceKey): number {
    return this.#live.get(place)?.length ?? 0;
  }

  places(): Iterable<PlaceKey> {
    return this.#live.keys();
  }

  callers(place: PlaceKey): Iterable<Caller> {
    // A copy, because the caller may remove subscriptions during the iteration.
    return (this.#live.get(place) ?? []).map((subscription) => subscription.subscriber.caller);
  }

  remove(place: PlaceKey, isRemoved: (userId: UserId) => boolean): void {
    const replaying = [...this.#replaying].filter((subscription) => subscription.place === place);
    for (const subscription of [...(this.#live.get(place) ?? []), ...replaying]) {
      if (isRemoved(subscription.subscriber.caller.userId)) subscription.remove();
    }
  }

  busiest(max: number): Traffic {
    const { seconds, places } = this.#parts.traffic.busiest(max);
    return { seconds, places: places.map((traffic) => ({ ...traffic, subscriptions: this.count(traffic.place) })) };
  }

  #beginSpan(place: PlaceKey, event: ChatEvent, { path }: Origin, trace: string): Span | null {
    const attributes = () => ({
      place,
      seq: isStored(event) ? event.seq : 0,
      path,
      subscriptions: this.count(place),
    });
    return this.#parts.spans?.begin('deliver', trace, attributes) ?? null;
  }

  watch(watcher: Watcher | null): void {
    this.#parts.watch.watcher = watcher;
  }

  #deliverTo(audience: readonly Subscription[], frames: MessageFrames | null, isSpared: boolean): void {
    if (frames === null) return;
    const { slowBytes, sweep, counts } = this.#parts;
    const { tick } = sweep;
    let sent = 0;
    for (const { subscriber, wireId } of audience) {
      const { connection } = subscriber;
      if (isSpared && connection.bufferedBytes > slowBytes) continue;
      subscriber.sentTick = tick;
      sent += 1;
      if (audience.length === 1) connection.send(frames.text(wireId));
      else frames.send(connection, wireId);
    }
    counts.delivered += sent;
    counts.spared += audience.length - sent;
  }

  // Links begin with the address at which a client reached the server. There are few such
  // addresses.
  #deliverLinks(place: PlaceKey, audience: readonly Subscription[], event: ChatEvent): void {
    const byBase = Map.groupBy(audience, (subscription) => subscription.subscriber.baseUrl);
    for (const [base, part] of byBase) {
      this.#deliverTo(part, this.#parts.messages.event(place, event, base), false);
    }
  }
}
