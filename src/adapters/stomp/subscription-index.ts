import type { Caller } from '../../application/commands.ts';
import type { LocalSubscribers } from '../../application/ports/local-subscribers.ts';
import type { ChatEvent } from '../../domain/chat-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import type { Counts } from './counts.ts';
import { hasLinks, isLowValue } from './event-body.ts';
import type { MessageBuilder } from './message-builder.ts';
import type { MessageFrames } from './message-frame.ts';
import type { Subscription, SubscriptionBook } from './subscription.ts';

/** Which live subscription hears which place. Adding and removing take the same time however many there are. */
export class SubscriptionIndex implements LocalSubscribers, SubscriptionBook {
  readonly #live = new Map<PlaceKey, Subscription[]>();
  /** Those that are being brought up to date: not live, but a removal ends them too. */
  readonly #replaying = new Set<Subscription>();
  readonly #messages: MessageBuilder;
  readonly #slowBytes: number;
  readonly #pulse: { readonly tick: number };
  readonly #counts: Counts;

  constructor(messages: MessageBuilder, slowBytes: number, pulse: { readonly tick: number }, counts: Counts) {
    this.#messages = messages;
    this.#slowBytes = slowBytes;
    this.#pulse = pulse;
    this.#counts = counts;
  }

  begin(subscription: Subscription): void {
    this.#replaying.add(subscription);
  }

  add(subscription: Subscription): void {
    // Neither a second time nor after its end.
    if (!this.#replaying.delete(subscription)) return;
    const audience = this.#live.get(subscription.place);
    subscription.slot = audience?.length ?? 0;
    if (audience === undefined) this.#live.set(subscription.place, [subscription]);
    else audience.push(subscription);
    this.#counts.subscriptions += 1;
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
    this.#counts.subscriptions -= 1;
    if (audience.length === 0) this.#live.delete(subscription.place);
  }

  deliver(place: PlaceKey, event: ChatEvent): void {
    const audience = this.#live.get(place);
    if (audience === undefined) return;
    if (hasLinks(event)) this.#deliverLinks(place, audience, event);
    else this.#deliverTo(audience, this.#messages.event(place, event, ''), isLowValue(event));
  }

  count(place: PlaceKey): number {
    return this.#live.get(place)?.length ?? 0;
  }

  places(): Iterable<PlaceKey> {
    return this.#live.keys();
  }

  callers(place: PlaceKey): Iterable<Caller> {
    // A list of its own: who asks may remove some of them on the way.
    return (this.#live.get(place) ?? []).map((subscription) => subscription.subscriber.caller);
  }

  remove(place: PlaceKey, isRemoved: (userId: UserId) => boolean): void {
    const replaying = [...this.#replaying].filter((subscription) => subscription.place === place);
    for (const subscription of [...(this.#live.get(place) ?? []), ...replaying]) {
      if (isRemoved(subscription.subscriber.caller.userId)) subscription.remove();
    }
  }

  #deliverTo(audience: readonly Subscription[], frames: MessageFrames | null, isSpared: boolean): void {
    if (frames === null) return;
    const { tick } = this.#pulse;
    let sent = 0;
    for (const { subscriber, wireId } of audience) {
      const { connection } = subscriber;
      if (isSpared && connection.bufferedBytes > this.#slowBytes) continue;
      subscriber.sentTick = tick;
      sent += 1;
      if (audience.length === 1) connection.send(frames.text(wireId));
      else frames.send(connection, wireId);
    }
    this.#counts.delivered += sent;
    this.#counts.spared += audience.length - sent;
  }

  // Links begin with the address under which each client reached the server, and there are few of those.
  #deliverLinks(place: PlaceKey, audience: readonly Subscription[], event: ChatEvent): void {
    const byBase = Map.groupBy(audience, (subscription) => subscription.subscriber.baseUrl);
    for (const [base, part] of byBase) {
      this.#deliverTo(part, this.#messages.event(place, event, base), false);
    }
  }
}
