import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../../dev/durability/virtual-time.ts';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { SystemClock } from '../../../../src/adapters/system/clock.ts';
import { Feed } from '../../../../src/application/ordering/feed.ts';
import { NewestReader } from '../../../../src/application/ordering/newest-reader.ts';
import type { MessageStore } from '../../../../src/application/ports/message-store.ts';
import type { StoredEvent } from '../../../../src/domain/stored-event.ts';

const PLACE = 'r-1';

function event(seq: number): StoredEvent {
  const common = { place: PLACE, seq, id: `id${seq}`, userId: 1, time: 0, nonce: null, communityId: null } as const;
  return { ...common, kind: 'message', name: 'x', profileImage: null, content: String(seq) };
}

/** A store whose reads of events are answered when the test says so, with what was there when they were asked. */
class SlowStore {
  newest = 0;
  reads: (() => void)[] = [];

  get port(): MessageStore {
    const none = () => Promise.reject(new Error('not asked for'));
    return {
      pace: 0,
      append: none,
      newest: async () => new Map([[PLACE, this.newest]]),
      eventsAfter: (_place, after, limit) => {
        const events = Array.from({ length: this.newest }, (_, i) => event(i + 1)).slice(after, after + limit);
        return new Promise((resolve) => this.reads.push(() => resolve(events)));
      },
      messages: none,
      history: none,
      byNonce: none,
      close: none,
    };
  }

  async answer(): Promise<void> {
    while (this.reads.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.reads.shift()?.();
  }
}

describe('a feed', () => {
  let store: SlowStore;
  let feed: Feed;
  let delivered: number[];

  beforeEach(() => {
    store = new SlowStore();
    delivered = [];
    feed = new Feed(PLACE, 0, {
      store: store.port,
      newest: new NewestReader(store.port, new SystemClock()),
      clock: new VirtualTime(),
      telemetry: new RecordedTelemetry(),
      deliver: ({ seq }) => delivered.push(seq),
      remembered: () => {},
      window: 100,
    });
  });

  it('is caught up only when it has what was the newest, although a read was under way that began before', async () => {
    store.newest = 1;
    const reading = feed.fill();
    store.newest = 3;
    const caughtUp = feed.catchUp();
    await store.answer();
    await reading;
    await store.answer();
    await caughtUp;
    expect(feed.position).toBe(3);
    expect(delivered).toEqual([1, 2, 3]);
  });

  it('hands out once and in order what is heard while it is read', async () => {
    store.newest = 3;
    const reading = feed.fill();
    for (const seq of [2, 1, 3, 4]) feed.receive(seq, () => event(seq));
    await store.answer();
    await reading;
    expect(delivered).toEqual([1, 2, 3, 4]);
  });
});
