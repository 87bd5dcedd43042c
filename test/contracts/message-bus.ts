import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { message, oneOfEach, typing } from '../../dev/events.ts';
import type { MessageBus, OutgoingRecord } from '../../src/application/ports/message-bus.ts';
import type { ChatEvent } from '../../src/domain/chat-event.ts';
import type { ConversationKey } from '../../src/domain/place.ts';
import type { MessageCreated } from '../../src/domain/stored-event.ts';
import { Heard } from '../support/heard.ts';

/**
 * The access of the suite to an adapter. An optional member that is missing must be explained by
 * the limit of its case.
 */
export interface MessageBusHarness {
  /** Creates the bus of a server. All buses of a harness are connected to one broker. */
  open(serverId: string): MessageBus;
  /** Puts records on the bus that no server can decode. The keys and numbers of some are valid. */
  putGarbage?(): Promise<void>;
  /** Length of a message's content that makes the record too large for the broker. */
  readonly tooLargeContent?: number;
  /** Breaks the connection over which this server receives, as a network failure would. */
  interrupt?(bus: MessageBus, serverId: string): Promise<void>;
  /** Makes the broker unreachable. */
  stopBroker?(): Promise<void>;
  startBroker?(): Promise<void>;
  /** After this time a case stops waiting for a record, in milliseconds. Default 8000. */
  readonly timeoutMs?: number;
}

/**
 * The properties that an adapter may lack. It gives the reason, and the suite skips the case under
 * a title with that reason.
 *
 * - `cannotHoldGarbage`: no other program can write to the bus
 * - `hasNoLargestRecord`: no record is too large
 * - `losesWhileDisconnected`: a server misses records that are published while its connection is
 *   lost
 * - `cannotBeStopped`: the tests have no broker that they can stop
 */
export type MessageBusLimit = 'cannotHoldGarbage' | 'hasNoLargestRecord' | 'losesWhileDisconnected' | 'cannotBeStopped';

export type MessageBusLimits = { readonly [Limit in MessageBusLimit]?: string };

export interface MessageBusCase {
  /** A whole sentence: the title of the test. */
  readonly name: string;
  /** The limit under which the case is skipped. */
  readonly limit?: MessageBusLimit;
  run(world: MessageBusWorld): Promise<void>;
}

/** Registers a test for each case with Vitest. `harness` is called once a test. */
export function messageBusContract(harness: () => MessageBusHarness, limits: MessageBusLimits = {}): void {
  describe('a message bus', () => {
    for (const one of MESSAGE_BUS_CASES) {
      const reason = one.limit === undefined ? undefined : limits[one.limit];
      if (reason === undefined) it(one.name, () => runMessageBusCase(one, harness()));
      else it.skip(`${one.name} (${one.limit}: ${reason})`, () => {});
    }
  });
}

/** Runs one case without a test runner. @throws the error of the first assertion that fails */
export async function runMessageBusCase(one: MessageBusCase, harness: MessageBusHarness): Promise<void> {
  const world = new MessageBusWorld(harness);
  try {
    await one.run(world);
  } finally {
    await world.close();
  }
}

interface Running {
  readonly bus: MessageBus;
  readonly heard: Heard;
  readonly serverId: string;
}

let servers = 0;

const FOR_SERVERS: readonly string[] = [
  'members-changed',
  'read',
  'roster',
  'moderation-changed',
  'question',
  'answer',
];

/** The servers of one case. */
export class MessageBusWorld {
  readonly harness: MessageBusHarness;
  readonly timeoutMs: number;
  readonly #opened: MessageBus[] = [];

  constructor(harness: MessageBusHarness) {
    this.harness = harness;
    this.timeoutMs = harness.timeoutMs ?? 8_000;
  }

  newServerId(): string {
    servers += 1;
    return `server-${process.pid}-${servers}`;
  }

  open(serverId = this.newServerId()): MessageBus {
    const bus = this.harness.open(serverId);
    this.#opened.push(bus);
    return bus;
  }

  async start(serverId = this.newServerId()): Promise<Running> {
    const bus = this.open(serverId);
    const heard = this.heard();
    await bus.start(heard.handler);
    return { bus, heard, serverId };
  }

  heard(): Heard {
    return new Heard(this.timeoutMs);
  }

  /**
   * A member of the harness that a case needs. @throws Error if the adapter neither has it nor
   * declares the limit
   */
  needs<Name extends keyof MessageBusHarness>(name: Name): NonNullable<MessageBusHarness[Name]> {
    const member = this.harness[name];
    if (member === undefined) throw new Error(`the harness has no ${name}, and no limit says why`);
    return member;
  }

  /** Resolves when the bus is ready. */
  async ready(bus: MessageBus): Promise<void> {
    await vi.waitFor(() => expect(bus.health()).toEqual({ ready: true }), { timeout: this.timeoutMs });
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((bus) => bus.close({ forget: true })));
  }
}

/** The contract of {@link MessageBus}, one case for each promise of its comment. */
export const MESSAGE_BUS_CASES: readonly MessageBusCase[] = [
  {
    name: 'three servers each receive every record of all three, once',
    async run(world) {
      const all = await Promise.all([world.start(), world.start(), world.start()]);
      const places = ['r-1', 'r-2', 'c-3'] as const;
      const sent = all.flatMap(({ bus }, i) => numbers(1, 40).map((seq) => publish(bus, message(at(places, i), seq))));
      await Promise.all(sent);
      await Promise.all(all.map(({ bus }, i) => publish(bus, message(at(places, i), 41))));
      for (const { heard } of all) {
        await heard.until((events) => places.every((place) => seqsOf(events, place).at(-1) === 41));
        for (const place of places) expect(seqsOf(heard.events(), place)).toEqual(numbers(1, 41));
      }
    },
  },
  {
    name: 'servers that race in one place lose nothing, and each keeps its own order',
    async run(world) {
      const all = await Promise.all([world.start(), world.start(), world.start()]);
      const writers = all.map(({ bus }, i) =>
        numbers(1, 30).map((n) => bus.publish([{ event: typing('r-5', `${i} ${n}`) }])),
      );
      await Promise.all(writers.flat());
      for (const { heard } of all) {
        const events = await heard.count(90);
        const names = events.flatMap((event) => (event.kind === 'typing' ? event.name.split(' ') : []));
        expect(events).toHaveLength(90);
        for (const i of all.keys()) {
          const own = names.filter((_, index) => index % 2 === 1 && names[index - 1] === String(i));
          expect(own.map(Number)).toEqual(numbers(1, 30));
        }
      }
    },
  },
  {
    name: 'records of one place and kind keep the order in which one server published them',
    async run(world) {
      const [one, two] = await Promise.all([world.start(), world.start()]);
      const places = ['r-1', 'r-2', 'c-1', 'c-2', 'r-3'] as const;
      const published: Promise<void>[] = [];
      for (const seq of numbers(1, 60)) {
        if (seq % 10 === 0) published.push(one.bus.publish(places.map((place) => ({ event: message(place, seq) }))));
        else for (const place of places) published.push(publish(one.bus, message(place, seq)));
        if (seq % 20 === 0) await Promise.all(published);
      }
      const events = await two.heard.count(300);
      for (const place of places) expect(seqsOf(events, place)).toEqual(numbers(1, 60));
    },
  },
  {
    name: 'a server receives records that are published right after its start, and none from before',
    async run(world) {
      const first = await world.start();
      await publish(first.bus, message('r-5', 1));
      const late = await world.start();
      await first.bus.publish([
        { event: message('r-5', 2) },
        { event: message('c-5', 2) },
        { event: typing('r-6', 'x') },
      ]);
      await late.heard.count(3);
      await first.heard.count(4);
      expect(seqsOf(late.heard.events(), 'r-5')).toEqual([2]);
    },
  },
  {
    name: 'a server that restarts under its id while others publish receives every record from then on',
    async run(world) {
      const other = await world.start();
      const before = await world.start();
      const publisher = publishSteadily(other.bus, 'r-5');
      try {
        await before.heard.count(5);
        await before.bus.close();
        const after = await world.start(before.serverId);
        const first = publisher.last + 1;
        const seqs = () => seqsOf(after.heard.events(), 'r-5').filter((seq) => seq >= first);
        await after.heard.until(() => seqs().length >= 20);
        const last = await publisher.stop();
        await after.heard.until(() => seqs().includes(last));
        expect(seqs()).toEqual(numbers(first, last));
        const received = seqsOf(before.heard.events(), 'r-5');
        expect(received).toEqual(numbers(1, received.length));
        expect(seqsOf(after.heard.events(), 'r-5')[0]).toBeGreaterThan(received.length);
      } finally {
        await publisher.stop();
      }
    },
  },
  {
    name: 'every kind of event arrives unchanged, at the writer and at another server',
    async run(world) {
      const [one, two] = await Promise.all([world.start(), world.start()]);
      const sent = oneOfEach();
      await one.bus.publish(sent.map((event) => ({ event })));
      for (const { heard } of [one, two]) {
        expect(sorted(await heard.count(sent.length))).toStrictEqual(sorted(sent));
      }
    },
  },
  {
    name: 'a record has its key, its writer and its numbers before its event is read',
    async run(world) {
      const { bus, heard, serverId } = await world.start();
      const records: OutgoingRecord[] = [
        { event: message('c-11', 4), batchEnd: 5 },
        { event: typing('r-5', 'Ada'), batchEnd: 9 },
        { event: { kind: 'connect', userId: 3, places: [] } },
        { event: { kind: 'voice', communityId: 1, state: {} } },
      ];
      for (const record of records) await bus.publish([record]);
      await heard.count(4);
      const seen = heard.records.map(({ key, server, seq, batchEnd }) => ({ key, server, seq, batchEnd }));
      expect(sorted(seen)).toEqual(
        sorted([
          { key: 'c-11', server: serverId, seq: 4, batchEnd: 5 },
          { key: 'r-5', server: serverId, seq: null, batchEnd: null },
          { key: 'u-3', server: serverId, seq: null, batchEnd: null },
          { key: 'com-1', server: serverId, seq: null, batchEnd: null },
        ]),
      );
    },
  },
  {
    name: 'isForServers is true for the events that servers act on themselves, and false for every other event',
    async run(world) {
      const { bus, heard } = await world.start();
      const sent = oneOfEach();
      await bus.publish(sent.map((event) => ({ event })));
      await heard.count(sent.length);
      for (const record of heard.records) {
        const { isForServers } = record;
        const kind = record.read()?.kind ?? 'not decoded';
        expect({ kind, isForServers }).toEqual({ kind, isForServers: FOR_SERVERS.includes(kind) });
      }
    },
  },
  {
    name: 'a record is decoded once',
    async run(world) {
      const { bus, heard } = await world.start();
      await publish(bus, message('r-5', 1));
      await heard.count(1);
      expect(heard.records[0]?.read()).toBe(heard.records[0]?.read());
    },
  },
  {
    name: 'a handler that throws loses only that record',
    async run(world) {
      const bus = world.open();
      const heard = world.heard();
      await bus.start((record) => {
        if (record.seq === 2) throw new Error('a defect of the handler');
        heard.handler(record);
      });
      await bus.publish([1, 2, 3].map((seq) => ({ event: message('r-5', seq) })));
      await publish(bus, message('r-5', 4));
      await heard.until((events) => seqsOf(events, 'r-5').at(-1) === 4);
      expect(seqsOf(heard.events(), 'r-5')).toEqual([1, 3, 4]);
    },
  },
  {
    name: 'a second live server of the same id is refused by name, and the first goes on',
    async run(world) {
      const first = await world.start();
      const second = world.open(first.serverId);
      await expect(second.start(() => {})).rejects.toThrow(first.serverId);
      await expect(publish(second, message('r-5', 9))).rejects.toThrow();
      await publish(first.bus, message('r-5', 1));
      await first.heard.count(1);
      expect(first.bus.health()).toEqual({ ready: true });
    },
  },
  {
    name: 'close during publish settles every call, loses no accepted record and hands on nothing more',
    async run(world) {
      const { bus, heard } = await world.start();
      const other = await world.start();
      const calls = numbers(1, 50).map((seq) => publish(bus, message('r-5', seq)));
      const settled = Promise.allSettled(calls);
      await Promise.all([bus.close(), bus.close()]);
      const atClose = heard.records.length;
      const accepted = (await settled).flatMap(({ status }, i) => (status === 'fulfilled' ? [i + 1] : []));
      await publish(other.bus, message('r-5', 99));
      await publish(other.bus, typing('r-5', 'the end'));
      await other.heard.until((events) => seqsOf(events, 'r-5').includes(99));
      await other.heard.until((events) => accepted.every((seq) => seqsOf(events, 'r-5').includes(seq)));
      expect(heard.records).toHaveLength(atClose);
      await expect(publish(bus, message('r-5', 1))).rejects.toThrow();
      expect(bus.health().ready).toBe(false);
    },
  },
  {
    name: 'a bus that is not started publishes nothing, is not ready, and can be closed',
    async run(world) {
      const bus = world.open();
      expect(bus.health().ready).toBe(false);
      await expect(publish(bus, message('r-5', 1))).rejects.toThrow();
      await bus.close();
      await bus.close({ forget: true });
    },
  },
  {
    name: 'a record of 700,000 bytes arrives',
    async run(world) {
      const [one, two] = await Promise.all([world.start(), world.start()]);
      const large: MessageCreated = { ...message('r-5', 1), content: '가'.repeat(233_000) };
      await publish(one.bus, large);
      expect(await two.heard.count(1)).toEqual([large]);
    },
  },
  {
    name: 'a record that is too large is refused alone',
    limit: 'hasNoLargestRecord',
    async run(world) {
      const { bus, heard } = await world.start();
      const content = 'x'.repeat(world.needs('tooLargeContent'));
      const events = [{ ...message('r-5', 1), content }, message('r-5', 2), message('r-6', 1)];
      const results = await Promise.allSettled(events.map((event) => publish(bus, event)));
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
      await heard.until((received) => seqsOf(received, 'r-5').includes(2) && seqsOf(received, 'r-6').includes(1));
    },
  },
  {
    name: 'records that cannot be decoded are read as null and do not stop the records behind them',
    limit: 'cannotHoldGarbage',
    async run(world) {
      const putGarbage = world.needs('putGarbage');
      const { bus, heard } = await world.start();
      await publish(bus, message('r-5', 1));
      await putGarbage();
      await publish(bus, message('r-5', 2));
      expect(await heard.count(2)).toEqual([message('r-5', 1), message('r-5', 2)]);
      expect(bus.health()).toEqual({ ready: true });
    },
  },
  {
    name: 'a server whose connection is lost reconnects by itself and misses nothing',
    limit: 'losesWhileDisconnected',
    async run(world) {
      const interrupt = world.needs('interrupt');
      const [one, two] = await Promise.all([world.start(), world.start()]);
      await publish(one.bus, message('r-5', 1));
      await two.heard.count(1);
      const interrupted = interrupt(two.bus, two.serverId);
      for (const seq of numbers(2, 40)) await publish(one.bus, message('r-5', seq));
      await interrupted;
      await publish(one.bus, message('r-5', 41));
      await two.heard.until((events) => seqsOf(events, 'r-5').includes(41));
      expect(withoutRepeats(seqsOf(two.heard.events(), 'r-5'))).toEqual(numbers(1, 41));
      await world.ready(two.bus);
    },
  },
  {
    name: 'while the broker is away publish rejects within 10 s and health says so, and later both work again',
    limit: 'cannotBeStopped',
    async run(world) {
      const [stopBroker, startBroker] = [world.needs('stopBroker'), world.needs('startBroker')];
      const [one, two] = await Promise.all([world.start(), world.start()]);
      await publish(one.bus, message('r-5', 1));
      await two.heard.count(1);
      await stopBroker();
      const began = performance.now();
      await expect(publish(one.bus, message('r-5', 2))).rejects.toThrow();
      expect(performance.now() - began).toBeLessThan(10_500);
      expect(one.bus.health().ready).toBe(false);
      expect(one.bus.health().reason).not.toBe('');
      await startBroker();
      for (const [{ bus }, seq] of [
        [one, 3],
        [two, 4],
      ] as const) {
        await vi.waitFor(() => publish(bus, message('r-5', seq)), { timeout: world.timeoutMs });
      }
      for (const { bus, heard } of [one, two]) {
        const events = await heard.until((all) => [3, 4].every((seq) => seqsOf(all, 'r-5').includes(seq)));
        expect(seqsOf(events, 'r-5').filter((seq) => seq === 1)).toEqual([1]);
        await world.ready(bus);
      }
    },
  },
];

function publish(bus: MessageBus, event: OutgoingRecord['event']): Promise<void> {
  return bus.publish([{ event }]);
}

/** Publishes messages 1, 2, 3, ... of a place, one after the other, until `stop`. */
function publishSteadily(bus: MessageBus, place: ConversationKey) {
  let stopped = false;
  const publisher = {
    last: 0,
    /** Resolves with the number of the last message when it is published. */
    async stop(): Promise<number> {
      stopped = true;
      await running;
      return publisher.last;
    },
  };
  const running = (async () => {
    while (!stopped) {
      publisher.last += 1;
      await publish(bus, message(place, publisher.last));
      await nextTurn();
    }
  })();
  // `stop` reports the error. Without this line it could count as unhandled before.
  running.catch(() => {});
  return publisher;
}

/** The whole numbers from `first` to `last`. */
function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`no entry ${index}`);
  return value;
}

/** The numbers of the messages of a place, in the order of arrival. */
function seqsOf(events: readonly ChatEvent[], place: ConversationKey): number[] {
  return events.flatMap((event) => (event.kind === 'message' && event.place === place ? [event.seq] : []));
}

/** Leaves out each number that arrived before. */
function withoutRepeats(seqs: readonly number[]): number[] {
  return [...new Set(seqs)];
}

function sorted(values: readonly object[]): object[] {
  const text = (value: object) => JSON.stringify(Object.entries(value).sort());
  return values.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
