import { expect, test } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { MemoryMemberCache } from '../../../src/adapters/memory/member-cache.ts';
import { ChannelAccess } from '../../../src/application/membership/channel-access.ts';
import { MemberLists } from '../../../src/application/membership/member-lists.ts';
import { Membership } from '../../../src/application/membership/membership.ts';
import { Feeds } from '../../../src/application/ordering/feeds.ts';
import type { ReplaySink } from '../../../src/application/ports/local-subscribers.ts';
import type { MessageStore } from '../../../src/application/ports/message-store.ts';
import { Subscribe } from '../../../src/application/use-cases/reading/subscribe.ts';
import { HandClock } from '../../support/hand-clock.ts';

const EVENTS = 300;
const EVENT_BYTES = 24_000;
const FULL_BYTES = 262_144;

/** A connection that takes what waits only when its owner waits for that. */
class SlowConnection {
  waiting = 0;
  most = 0;
  drains = 0;

  sink(seqs: number[], live: () => void): ReplaySink {
    const connection = this;
    return {
      admitted: () => {},
      event: ({ seq }) => {
        seqs.push(seq);
        this.waiting += EVENT_BYTES;
        this.most = Math.max(this.most, this.waiting);
      },
      reset: () => {},
      get isFull() {
        return connection.waiting > FULL_BYTES;
      },
      drained: async () => {
        this.drains += 1;
        await new Promise((resolve) => setImmediate(resolve));
        this.waiting = 0;
        return true;
      },
      live,
    };
  }
}

function setUp(): Subscribe {
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    kind: 'delete',
    place: 'r-5',
    seq: index + 1,
    id: String(index),
  }));
  const store = {
    newest: async () => new Map([['r-5', EVENTS]]),
    eventsAfter: async (_place: string, after: number, limit: number) => events.slice(after, after + limit),
  } as unknown as MessageStore;
  const clock = new HandClock();
  const telemetry = new RecordedTelemetry();
  const subscribers = {
    deliver() {},

    places: () => [],
    callers: () => [],
    remove() {},
    count: () => 0,
  };
  const directory = {
    roomMembers: async () => [1],
    communityMembers: async () => null,
    channel: async () => null,
    placesOf: async () => [],
  };
  const cache = new MemoryMemberCache();
  const lists = new MemberLists({ directory, cache, clock, telemetry, subscribers });
  const channels = new ChannelAccess({ directory, lists, clock, telemetry, subscribers, stalenessSeconds: 60 });
  const membership = new Membership({ lists, channels, clock, subscribers });
  const feeds = new Feeds({ store, clock, telemetry, subscribers, window: 1_000 });
  return new Subscribe({ membership, feeds, window: 1_000, telemetry });
}

const caller = { userId: 1, account: 'a', token: 't', expiresAt: Number.POSITIVE_INFINITY };

test('a replay never has more waiting than the connection bears, however many share it', async () => {
  const subscribe = setUp();
  const connection = new SlowConnection();
  const replays = Array.from({ length: 20 }, async () => {
    const seqs: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { result } = await subscribe.execute(caller, {
      place: 'r-5',
      lastSeq: 0,
      sink: connection.sink(seqs, resolve),
    });
    await Promise.all([result, promise]);
    return seqs;
  });
  const all = Array.from({ length: EVENTS }, (_, index) => index + 1);
  for (const seqs of await Promise.all(replays)) expect(seqs).toEqual(all);
  expect(connection.most).toBeLessThanOrEqual(FULL_BYTES + EVENT_BYTES);
});

test('a short replay waits for nothing', async () => {
  const connection = new SlowConnection();
  const seqs: number[] = [];
  const sink = connection.sink(seqs, () => {});
  const { result } = await setUp().execute(caller, { place: 'r-5', lastSeq: EVENTS - 5, sink });
  expect(await result).toEqual({ seq: EVENTS });
  expect([seqs.length, connection.drains]).toEqual([5, 0]);
});
