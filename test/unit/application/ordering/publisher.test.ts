import { expect, it } from 'vitest';
import { VirtualTime } from '../../../../dev/durability/virtual-time.ts';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { HeardNumbers } from '../../../../src/application/ordering/heard-numbers.ts';
import { Publisher } from '../../../../src/application/ordering/publisher.ts';
import type { MessageBus, OutgoingRecord } from '../../../../src/application/ports/message-bus.ts';
import type { Outbox, UnpublishedBatch } from '../../../../src/application/ports/outbox.ts';
import type { Spans } from '../../../../src/application/ports/spans.ts';
import { roomKey } from '../../../../src/domain/place.ts';
import { numbered, said } from '../../../contracts/world.ts';

const PLACE = roomKey(1);

/** A publisher over a bus and an outbox that a test can take away. */
function setUp({ alone = false, rank = 0, spans = null as Spans | null } = {}) {
  const time = new VirtualTime();
  const published: {
    at: number;
    seqs: (number | null)[];
    batchEnds: (number | undefined)[];
    traces: (string | undefined)[];
  }[] = [];
  const recovered: number[] = [];
  const outbox = new Map<number, UnpublishedBatch & { readonly at: number }>();
  const bus = { isAway: false, delay: 0 };
  const publish = async (records: readonly OutgoingRecord[]): Promise<void> => {
    if (bus.isAway) throw new Error('the bus is away');
    if (bus.delay > 0) await time.sleep(bus.delay);
    published.push({
      at: time.monotonic(),
      seqs: records.map(({ event }) => ('seq' in event ? event.seq : null)),
      batchEnds: records.map(({ batchEnd }) => batchEnd),
      traces: records.map(({ trace }) => trace),
    });
  };
  const outboxPort: Outbox = {
    published: (batches) => {
      for (const { first } of batches) outbox.delete(first);
    },
    unpublished: async (olderThanMs, limit) =>
      [...outbox.values()].filter(({ at }) => at < time.monotonic() - olderThanMs).slice(0, limit),
  };
  const heard = new HeardNumbers(time);
  const publisher = new Publisher({
    bus: { publish } as MessageBus,
    outbox: outboxPort,
    clock: time,
    telemetry: new RecordedTelemetry(),
    random: () => 0.5,
    recovered: ({ first }) => recovered.push(first),
    heard,
    isAlone: () => alone,
    rank: () => rank,
    spans,
    outboxRead() {},
    outboxFailed() {},
  });
  /** Stores a batch, as the store does it: it is in the outbox from the same moment on. */
  const store = (first: number, count = 1): UnpublishedBatch => {
    const events = numbered(
      first,
      Array.from({ length: count }, () => said(PLACE, 'text')),
    );
    const batch = { place: PLACE, first, events };
    outbox.set(first, { ...batch, at: time.monotonic() });
    return batch;
  };
  return { time, bus, heard, outboxPort, publisher, published, recovered, outbox, store };
}

/** Spans that are named by their parents, and the outcomes of those that have ended. */
function namedSpans() {
  const ended: string[] = [];
  const spans: Spans = {
    begin(name, parent) {
      const traceparent = `${name} of ${parent}`;
      return {
        traceparent,
        run: (work) => work(),
        end: (failure = null) => void ended.push(`${traceparent}: ${failure ?? 'done'}`),
      };
    },
    current: () => null,
    outside: (work) => work(),
  };
  return { spans, ended };
}

/**
 * Stores an event each millisecond, forty in all, and gives the time and the size of each
 * publishing.
 */
async function fortyEvents(options: { alone: boolean }): Promise<[number, number][]> {
  const { time, publisher, published, store } = setUp(options);
  await time.run(
    (async () => {
      for (let first = 1; first <= 40; first += 1) {
        publisher.stored(store(first));
        await time.sleep(1);
      }
      await publisher.stop();
    })(),
  );
  return published.map(({ at, seqs }) => [at, seqs.length]);
}

it('publishes the first event at once and later ones every 4 ms while other servers live', async () => {
  const publishings = await fortyEvents({ alone: false });
  expect(publishings.slice(0, 3)).toEqual([
    [0, 1],
    [4, 3],
    [8, 4],
  ]);
  expect(publishings.reduce((sum, [, records]) => sum + records, 0)).toBe(40);
});

it('gathers events for 25 ms while no other server lives', async () => {
  expect(await fortyEvents({ alone: true })).toEqual([
    [0, 1],
    [25, 24],
    [50, 15],
  ]);
});

it('names in each record the last number of its append', async () => {
  const { time, publisher, published, store } = setUp();
  publisher.stored(store(1, 3));
  await time.run(publisher.stop());
  expect(published.map(({ seqs, batchEnds }) => [seqs, batchEnds])).toEqual([
    [
      [1, 2, 3],
      [3, 3, 3],
    ],
  ]);
});

it('publishes the waiting events before it stops', async () => {
  const { time, publisher, published, store } = setUp({ alone: true });
  publisher.stored(store(1));
  publisher.stored(store(2));
  await time.run(publisher.stop());
  expect(published.flatMap(({ seqs }) => seqs)).toEqual([1, 2]);
});

it('leaves an event in the outbox when the bus is away, and publishes it from there when the bus is back', async () => {
  const { time, bus, publisher, published, recovered, outbox, store } = setUp();
  publisher.start();
  bus.isAway = true;
  publisher.stored(store(1));
  await time.run(time.sleep(5_000));
  expect([published.length, outbox.size]).toEqual([0, 1]);
  bus.isAway = false;
  await time.run(time.sleep(2_000));
  expect(published.map(({ seqs }) => seqs)).toEqual([[1]]);
  expect(outbox.size).toBe(0);
  expect(recovered).toContain(1);
  await time.run(publisher.stop());
});

it('continues the trace of an event that it publishes from the outbox', async () => {
  const { spans, ended } = namedSpans();
  const { time, bus, publisher, published, store } = setUp({ spans });
  publisher.start();
  bus.isAway = true;
  publisher.stored({ ...store(1, 2), traces: [null, 'send'] });
  publisher.stored({ ...store(3), traces: null });
  await time.run(time.sleep(5_000));
  bus.isAway = false;
  await time.run(time.sleep(2_000));
  expect(published.flatMap(({ traces }) => traces)).toEqual([undefined, 'republish of send', undefined]);
  expect(ended[0]).toBe('publish of send: the bus did not take it');
  expect(ended.at(-1)).toBe('republish of send: done');
  await time.run(publisher.stop());
});

it('publishes a batch of another server that stays in the outbox for more than 3 s, and not before', async () => {
  const { time, publisher, published, store } = setUp();
  publisher.start();
  store(7);
  await time.run(time.sleep(3_000));
  expect(published).toEqual([]);
  await time.run(time.sleep(2_000));
  expect(published.map(({ seqs }) => seqs)).toEqual([[7]]);
  await time.run(publisher.stop());
});

it('leaves batches to the sweep when more than 10,000 events wait', async () => {
  const { time, publisher, published, outbox, store } = setUp();
  publisher.stored(store(1, 10_001));
  publisher.stored(store(10_002));
  await time.run(publisher.stop());
  expect(published.flatMap(({ seqs }) => seqs)).toHaveLength(10_001);
  expect([...outbox.keys()]).toEqual([10_002]);
});

it('only marks a batch of the outbox whose records were all heard', async () => {
  const { time, heard, publisher, published, recovered, outbox, store } = setUp();
  publisher.start();
  store(5, 3);
  store(8, 2);
  for (const seq of [5, 7, 6, 9]) heard.heard(PLACE, seq);
  await time.run(time.sleep(5_000));
  expect(published.map(({ seqs }) => seqs)).toEqual([[8, 9]]);
  expect(recovered).toEqual([8]);
  expect(outbox.size).toBe(0);
  await time.run(publisher.stop());
});

it('leaves events that waited for 3 s to the sweep, because another server may have published them', async () => {
  const { time, bus, publisher, published, outbox, store } = setUp();
  bus.delay = 10_000;
  publisher.stored(store(1));
  await time.run(time.sleep(1));
  publisher.stored(store(2));
  await time.run(time.sleep(8_000));
  publisher.stored(store(3));
  await time.run(publisher.stop());
  expect(published.flatMap(({ seqs }) => seqs)).toEqual([1, 3]);
  expect([...outbox.keys()]).toEqual([2]);
});

it('does not publish batches that it read from the outbox before the process was stopped for a while', async () => {
  const { time, outboxPort, publisher, published, outbox, store } = setUp();
  const { unpublished } = outboxPort;
  let reads = 0;
  outboxPort.unpublished = async (olderThanMs, limit) => {
    const batches = await unpublished(olderThanMs, limit);
    if (batches.length > 0 && ++reads === 1) {
      await time.sleep(60_000);
      // Another server has published it meanwhile.
      outbox.clear();
    }
    return batches;
  };
  publisher.start();
  store(1);
  await time.run(time.sleep(70_000));
  expect([reads, published]).toEqual([1, []]);
  await time.run(publisher.stop());
});

for (const [rank, earliest, latest] of [
  [0, 3_000, 4_250],
  [1, 5_000, 6_250],
  [3, 9_000, 10_250],
  [12, 9_000, 10_250],
] as const) {
  it(`publishes what it finds in the outbox in its turn, so that no two servers do it at once (rank ${rank})`, async () => {
    const { time, publisher, published, store } = setUp({ rank });
    publisher.start();
    store(1);
    await time.run(time.sleep(11_000));
    await time.run(publisher.stop());
    expect(published.map(({ seqs }) => seqs)).toEqual([[1]]);
    expect(published[0]?.at).toBeGreaterThanOrEqual(earliest);
    expect(published[0]?.at).toBeLessThanOrEqual(latest);
  });
}
