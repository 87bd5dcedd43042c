import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualTime } from '../../../../dev/durability/virtual-time.ts';
import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { Feed } from '../../../../src/application/ordering/feed.ts';
import { LogHoles } from '../../../../src/application/ordering/log-holes.ts';
import { NewestReader } from '../../../../src/application/ordering/newest-reader.ts';
import type { MessageStore } from '../../../../src/application/ports/message-store.ts';
import type { SequencedEvent } from '../../../../src/domain/stored-event.ts';

const PLACE = 'r-1';
const COMMON = { place: PLACE, userId: 1, time: 0, nonce: null, communityId: null } as const;

function event(seq: number): SequencedEvent {
  return { ...COMMON, kind: 'message', seq, id: `id${seq}`, name: 'x', profileImage: null, content: String(seq) };
}

/** A log in memory. A test can hold its reads back, and take numbers out of it. */
class TestLog {
  events: SequencedEvent[] = [];
  reads = 0;
  /** Reads wait in here while this is set. They see the log as it was when they were asked. */
  held: (() => void)[] | null = null;

  fill(to: number): void {
    this.events = Array.from({ length: to }, (_, i) => event(i + 1));
  }

  lose(...seqs: readonly number[]): void {
    this.events = this.events.filter(({ seq }) => !seqs.includes(seq));
  }

  get port(): MessageStore {
    const none = () => Promise.reject(new Error('not needed here'));
    return {
      pace: 0,
      append: none,
      newest: async () => new Map([[PLACE, this.events.at(-1)?.seq ?? 0]]),
      eventsAfter: (_place, after, limit) => {
        this.reads += 1;
        if (this.reads > 100) throw new Error('the log is read without end');
        const events = this.events.filter(({ seq }) => seq > after).slice(0, limit);
        if (this.held === null) return Promise.resolve(events);
        return new Promise((resolve) => this.held?.push(() => resolve(events)));
      },
      messages: none,
      history: none,
      byNonce: none,
      close: none,
    };
  }

  /** Answers the next read that is held back. */
  async answer(): Promise<void> {
    while ((this.held ?? []).length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.held?.shift()?.();
  }
}

let log: TestLog;
let time: VirtualTime;
let telemetry: RecordedTelemetry;
let delivered: number[];
let bytes: number;

beforeEach(() => {
  log = new TestLog();
  time = new VirtualTime();
  telemetry = new RecordedTelemetry();
  delivered = [];
  bytes = 0;
});

function open(position: number, window = 100): Feed {
  return new Feed(PLACE, position, {
    store: log.port,
    newest: new NewestReader(log.port, time),
    clock: time,
    telemetry,
    holes: new LogHoles({ clock: time, telemetry }),
    deliver: (_place, { seq }) => delivered.push(seq),
    remembered: (_place, change) => {
      bytes += change;
    },
    window,
  });
}

const seqsOf = (events: readonly SequencedEvent[] | null) => events?.map(({ seq }) => seq) ?? null;

describe('live events', () => {
  it('hands out events in order and once, however they arrive', () => {
    const feed = open(0);
    for (const seq of [2, 1, 1, 3, 2, 5, 4, 4]) feed.receive(seq, () => event(seq));
    expect(delivered).toEqual([1, 2, 3, 4, 5]);
  });

  it('holds events behind a missing one, and reads that one from the store after 150 ms', async () => {
    const feed = open(0);
    log.fill(3);
    feed.receive(3, () => event(3));
    await time.run(time.sleep(149));
    expect([delivered, log.reads]).toEqual([[], 0]);
    await time.run(time.sleep(10));
    expect(delivered).toEqual([1, 2, 3]);
  });

  it('reads a held event from the store that cannot be decoded when its turn comes', async () => {
    const feed = open(0);
    log.fill(2);
    feed.receive(2, () => null);
    feed.receive(1, () => event(1));
    await time.run(time.sleep(200));
    expect(delivered).toEqual([1, 2]);
  });

  it('reads an event that cannot be decoded from the store', async () => {
    const feed = open(0);
    log.fill(2);
    feed.receive(1, () => null);
    feed.receive(2, () => event(2));
    await time.run(time.sleep(200));
    expect(delivered).toEqual([1, 2]);
  });

  it('counts the number of an event of an unknown kind and does not deliver the event', () => {
    const feed = open(0);
    feed.receive(1, () => event(1));
    feed.receive(2, () => ({ kind: 'unknown', place: PLACE, seq: 2 }));
    feed.receive(3, () => event(3));
    expect(delivered).toEqual([1, 3]);
    expect(feed.position).toBe(3);
  });

  it('continues behind numbers that the log has lost, and logs the gap', async () => {
    const feed = open(1);
    log.fill(6);
    log.lose(2, 3);
    feed.receive(6, () => event(6));
    await time.run(time.sleep(1_000));
    expect(delivered).toEqual([4, 5, 6]);
    expect(telemetry.logs.map(({ fields }) => fields)).toEqual([{ place: PLACE, from: 2, to: 3, holes: 1 }]);
    expect(telemetry.counts.get('log_holes')).toBe(1);
  });

  it('continues behind a removed newest event, and refuses a replay from below it', async () => {
    const feed = open(1);
    log.fill(3);
    log.lose(2);
    log.events[1] = { kind: 'unknown', place: PLACE, seq: 3, isRemoved: true };
    await time.run(feed.catchUp());
    feed.receive(4, () => event(4));
    expect([feed.position, delivered]).toEqual([4, [4]]);
    expect([await feed.since(1), await feed.since(2), seqsOf(await feed.since(3))]).toEqual([null, null, [4]]);
    expect(telemetry.logs.map(({ fields }) => fields)).toEqual([{ place: PLACE, from: 2, to: 3, holes: 1 }]);
  });

  it('hands out events that arrive during a read of the store once and in order', async () => {
    log.fill(3);
    log.held = [];
    const feed = open(0);
    const reading = feed.fill();
    for (const seq of [2, 1, 3, 4]) feed.receive(seq, () => event(seq));
    await log.answer();
    await reading;
    expect(delivered).toEqual([1, 2, 3, 4]);
  });
});

describe('catching up', () => {
  it('ends a catch-up only with the newest event, also if an older read is still under way', async () => {
    log.fill(1);
    log.held = [];
    const feed = open(0);
    const reading = feed.fill();
    log.fill(3);
    const caughtUp = feed.catchUp();
    const run = time.run(caughtUp);
    await log.answer();
    await reading;
    await log.answer();
    await run;
    expect(feed.position).toBe(3);
    expect(delivered).toEqual([1, 2, 3]);
  });
});

describe('a replay', () => {
  it('gives the events after a number, and reads them once for many clients', async () => {
    log.fill(10);
    const feed = open(10);
    const all = await Promise.all([feed.since(4), feed.since(4), feed.since(7)]);
    expect(all.map(seqsOf)).toEqual([
      [5, 6, 7, 8, 9, 10],
      [5, 6, 7, 8, 9, 10],
      [8, 9, 10],
    ]);
    expect(log.reads).toBe(1);
  });

  it('reads further back when a read for another client was shorter', async () => {
    log.fill(10);
    const feed = open(10);
    const [short, long] = await Promise.all([feed.since(8), feed.since(2)]);
    expect([seqsOf(short), seqsOf(long)?.length]).toEqual([[9, 10], 8]);
  });

  it('shows no content of a message that was deleted later', async () => {
    log.fill(2);
    log.events.push({ ...COMMON, kind: 'delete', seq: 3, id: 'id1' });
    const feed = open(3);
    const [first] = (await feed.since(0)) ?? [];
    expect(first).toMatchObject({ kind: 'message', id: 'id1', content: '' });
  });

  it('shows no content of a remembered message once its deletion arrives', async () => {
    const feed = open(0);
    feed.receive(1, () => event(1));
    feed.receive(2, () => ({ ...COMMON, kind: 'delete', seq: 2, id: 'id1' }));
    const [first] = (await feed.since(0)) ?? [];
    expect(first).toMatchObject({ kind: 'message', content: '' });
  });

  it('keeps events of an unknown kind, so that the numbers stay dense', async () => {
    log.fill(3);
    log.events[1] = { kind: 'unknown', place: PLACE, seq: 2 };
    expect(seqsOf(await open(3).since(0))).toEqual([1, 2, 3]);
  });

  it('refuses a replay where the log has lost an event, and does not read without end', async () => {
    log.fill(6);
    log.lose(2, 3, 4);
    const feed = open(6);
    expect(await feed.since(1)).toBeNull();
    expect(await feed.since(3)).toBeNull();
    expect(seqsOf(await feed.since(4))).toEqual([5, 6]);
    expect(log.reads).toBeLessThan(5);
  });

  it('refuses a replay of a removed newest event', async () => {
    log.fill(3);
    log.events[2] = { kind: 'unknown', place: PLACE, seq: 3, isRemoved: true };
    const feed = open(3);
    expect([await feed.since(2), await feed.since(0), await feed.since(3)]).toEqual([null, null, []]);
    expect(log.reads).toBe(1);
  });

  it('refuses a replay from below the numbers that were removed from the log', async () => {
    log.fill(600);
    log.lose(...Array.from({ length: 500 }, (_, i) => i + 1));
    const feed = open(600, 1_000);
    expect(await feed.since(100)).toBeNull();
    expect(seqsOf(await feed.since(500))).toHaveLength(100);
  });
});

it('forgets its events when it is closed', async () => {
  log.fill(5);
  const feed = open(5);
  await feed.since(0);
  expect(bytes).toBeGreaterThan(5 * 400);
  feed.close();
  expect(bytes).toBe(0);
});
