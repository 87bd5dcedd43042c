import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zeroCounts } from '../../../src/adapters/stomp/counts.ts';
import { DeliveryTimes } from '../../../src/adapters/stomp/delivery-times.ts';
import { MessageBuilder } from '../../../src/adapters/stomp/message-builder.ts';
import { PlaceTraffic } from '../../../src/adapters/stomp/place-traffic.ts';
import { type Subscriber, Subscription } from '../../../src/adapters/stomp/subscription.ts';
import { SubscriptionIndex } from '../../../src/adapters/stomp/subscription-index.ts';
import type { WatchSlot } from '../../../src/adapters/stomp/watch-slot.ts';
import type { PlaceKey } from '../../../src/domain/place.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { MemoryConnection } from '../../support/memory-connection.ts';

const PLACES: readonly PlaceKey[] = ['r-5', 'r-6', 'c-5'];

function admitted(subscription: Subscription): Subscription {
  subscription.admitted();
  return subscription;
}

function setUp() {
  const messages = new MessageBuilder((key) => key, 'p');
  const counts = zeroCounts();
  const clock = new HandClock();
  const times = new DeliveryTimes(clock);
  const traffic = new PlaceTraffic(clock);
  const watch: WatchSlot = { watcher: null };
  const index = new SubscriptionIndex({
    messages,
    slowBytes: 1_000,
    sweep: { tick: 0 },
    counts,
    times,
    traffic,
    watch,
  });
  const subscriber = (userId: number): Subscriber & { readonly connection: MemoryConnection } => ({
    connection: new MemoryConnection(),
    caller: { userId, token: '', expiresAt: 0 },
    shownId: 'one',
    baseUrl: '',
    hearsErrors: true,
    sentTick: 0,
    ended: () => {},
  });
  const host = { index, messages, replayBytes: 1_000, tick: 0, counts, watch };
  const begin = (subscriber: Subscriber, wireId: string, place: PlaceKey) =>
    new Subscription({ subscriber, wireId, place, resumes: false, replaced: null, host });
  const subscription = (of: Subscriber, id: string, place: PlaceKey) => admitted(begin(of, id, place));
  return { index, counts, clock, times, subscriber, begin, subscription };
}

describe('subscription index', () => {
  it('removes a subscription only after it was admitted', () => {
    const { index, subscriber, begin } = setUp();
    const one = subscriber(1);
    const it = begin(one, 'a', 'r-5');
    index.remove('r-5', () => true);
    expect([it.isOver, one.connection.received]).toEqual([false, []]);
    it.admitted();
    index.remove('r-5', () => true);
    expect([it.isOver, one.connection.received.length]).toEqual([true, 1]);
  });

  it('delivers to exactly the live subscriptions after any order of joins, ends and removals', () => {
    const step = fc.record({
      what: fc.constantFrom('join', 'join', 'begin', 'live', 'end', 'end', 'remove'),
      which: fc.nat(),
      place: fc.constantFrom(...PLACES),
      userId: fc.integer({ min: 1, max: 9 }),
      id: fc.constantFrom('a', 'b', 'c'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const { index, counts, subscriber, subscription } = setUp();
        const all: { of: MemoryConnection; userId: number; it: Subscription; state: 'begun' | 'live' | 'over' }[] = [];
        for (const { what, which, place, userId, id } of steps) {
          const one = all[which % Math.max(1, all.length)];
          if (what === 'begin' || what === 'join') {
            const of = subscriber(userId);
            const it = subscription(of, id, place);
            if (what === 'join') it.live();
            all.push({ of: of.connection, userId, it, state: what === 'join' ? 'live' : 'begun' });
          } else if (what === 'remove') {
            index.remove(place, (user) => user === userId);
            for (const other of all) {
              if (other.it.place === place && other.userId === userId) other.state = 'over';
            }
          } else if (what === 'live' && one !== undefined) {
            one.it.live();
            if (one.state === 'begun') one.state = 'live';
          } else if (one !== undefined) {
            one.it.end();
            one.state = 'over';
          }
        }
        const live = all.filter(({ state }) => state === 'live');
        expect(counts.subscriptions).toBe(live.length);
        expect(new Set(index.places())).toEqual(new Set(live.map(({ it }) => it.place)));
        for (const place of PLACES) {
          const here = live.filter(({ it }) => it.place === place);
          expect([...index.callers(place)].map(({ userId }) => userId).sort()).toEqual(
            here.map(({ userId }) => userId).sort(),
          );
          for (const { of } of all) of.received.length = 0;
          index.deliver(place, { kind: 'typing', place: 'r-5', name: 'a' });
          for (const { of, it } of all) {
            const isHere = here.some((other) => other.it === it);
            expect(of.received).toHaveLength(isHere ? 1 : 0);
            if (isHere) expect(of.received[0]).toContain(`\nsubscription:${it.wireId}\n`);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('delivers nothing before a subscription is live, and nothing after its end', () => {
    const { index, counts, subscriber, subscription } = setUp();
    const one = subscriber(1);
    const it = subscription(one, 'a', 'r-5');
    index.deliver('r-5', { kind: 'typing', place: 'r-5', name: 'a' });
    expect(one.connection.received).toEqual([]);
    it.live();
    it.live();
    index.deliver('r-5', { kind: 'typing', place: 'r-5', name: 'a' });
    expect(one.connection.received).toHaveLength(1);
    it.end();
    it.live();
    expect(counts.subscriptions).toBe(0);
  });

  it('counts the traffic of places, also of those without subscriptions, while somebody asks for it', () => {
    const { index, clock, subscriber, subscription } = setUp();
    for (const id of ['a', 'b']) subscription(subscriber(1), id, 'r-5').live();
    const typing = (place: 'r-5' | 'r-6') => index.deliver(place, { kind: 'typing', place, name: 'a' });
    typing('r-5');
    expect(index.busiest(10)).toEqual({ seconds: 0, places: [] });
    clock.pass(2_000);
    for (const place of ['r-5', 'r-6', 'r-6'] as const) typing(place);
    expect(index.busiest(10)).toEqual({
      seconds: 2,
      places: [
        { place: 'r-5', events: 1, deliveries: 2, subscriptions: 2 },
        { place: 'r-6', events: 2, deliveries: 0, subscriptions: 0 },
      ],
    });
  });

  it('builds one buffer for each id, even if the ids alternate', () => {
    const { index, subscriber, subscription } = setUp();
    const all = Array.from({ length: 12 }, () => subscriber(1));
    for (const [number, one] of all.entries()) subscription(one, `s${number % 3}`, 'r-5').live();
    index.deliver('r-5', { kind: 'typing', place: 'r-5', name: 'a' });
    // Four buffers: the tail that the first frames of all ids share, and one whole frame for each
    // of the three ids.
    expect(new Set(all.flatMap(({ connection }) => connection.shared)).size).toBe(4);
  });
});
