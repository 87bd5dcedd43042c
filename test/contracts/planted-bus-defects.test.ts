import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { MemoryBroker } from '../../src/adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../../src/adapters/memory/message-bus.ts';
import type {
  BusHealth,
  IncomingRecord,
  MessageBus,
  OutgoingRecord,
  RecordHandler,
} from '../../src/application/ports/message-bus.ts';
import { MESSAGE_BUS_CASES, type MessageBusHarness, runMessageBusCase } from './message-bus.ts';

const TOO_LARGE = 1_000_000;

/**
 * A correct bus with a connection that can be lost and a largest record. A defect overrides one of
 * its methods.
 */
class PlantedBus implements MessageBus {
  protected readonly inner: MessageBus;
  #handler: RecordHandler = () => {};
  #disconnected = false;
  #missed: IncomingRecord[] = [];

  constructor(broker: MemoryBroker, serverId: string) {
    this.inner = new MemoryMessageBus(broker, serverId);
  }

  start(handler: RecordHandler): Promise<void> {
    this.#handler = handler;
    return this.inner.start((record) => {
      if (this.#disconnected) this.#missed.push(record);
      else this.receive(record, handler);
    });
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.some(({ event }) => event.kind === 'message' && event.content.length >= TOO_LARGE)) {
      throw new Error('the record is too large');
    }
    await this.inner.publish(records);
  }

  health(): BusHealth {
    return this.inner.health();
  }

  close(_options?: { readonly forget?: boolean }): Promise<void> {
    return this.inner.close();
  }

  /** Receives nothing for some turns of the event loop. */
  async interrupt(): Promise<void> {
    this.#disconnected = true;
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    this.#disconnected = false;
    this.reconnected(this.#missed.splice(0));
  }

  protected receive(record: IncomingRecord, handler: RecordHandler): void {
    handler(record);
  }

  protected reconnected(missed: readonly IncomingRecord[]): void {
    for (const record of missed) this.receive(record, this.#handler);
  }
}

/** A record with some members replaced. */
function changed(record: IncomingRecord, changes: Partial<IncomingRecord>): IncomingRecord {
  const { key, server, seq, batchEnd, isForServers } = record;
  return { key, server, seq, batchEnd, isForServers, read: () => record.read(), ...changes };
}

class DropsEveryTenthRecord extends PlantedBus {
  #count = 0;
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    this.#count += 1;
    if (this.#count % 10 !== 0) handler(record);
  }
}

class RepeatsEveryTenthRecord extends PlantedBus {
  #count = 0;
  #repeat: IncomingRecord | null = null;
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    this.#count += 1;
    handler(record);
    if (this.#repeat !== null) handler(this.#repeat);
    this.#repeat = this.#count % 10 === 0 ? record : null;
  }
}

/**
 * Swaps every tenth record of a place with the next one of that place, if it follows in the same
 * turn or the next one.
 */
class ReordersWithinAPlace extends PlantedBus {
  readonly #held = new Map<string | null, IncomingRecord>();
  #count = 0;
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    this.#count += 1;
    const held = this.#held.get(record.key);
    if (held === undefined && this.#count % 10 === 0) {
      this.#held.set(record.key, record);
      setImmediate(() => setImmediate(() => this.#release(record.key, handler)));
      return;
    }
    handler(record);
    this.#release(record.key, handler);
  }

  #release(key: string | null, handler: RecordHandler): void {
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (held !== undefined) handler(held);
  }
}

class IsNeverForServers extends PlantedBus {
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    handler(changed(record, { isForServers: false }));
  }
}

class IsAlwaysForServers extends PlantedBus {
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    handler(changed(record, { isForServers: true }));
  }
}

/** Loses the thumbnail of a file, as a codec that forgets a field would. */
class CorruptsOneKindOfEvent extends PlantedBus {
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    const event = record.read();
    handler(event?.kind === 'file' ? changed(record, { read: () => ({ ...event, thumbnail: null }) }) : record);
  }
}

/** Accepts records at once and sends them in the next turn of the event loop. */
class LosesAcceptedRecordsOnClose extends PlantedBus {
  #closed = false;
  override async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (!this.health().ready) throw new Error('not running');
    setImmediate(() => {
      if (!this.#closed) void this.inner.publish(records);
    });
  }

  override close(): Promise<void> {
    this.#closed = true;
    return super.close();
  }
}

class HandsOnRecordsAfterClose extends PlantedBus {
  #closing: Promise<void> | null = null;
  override close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => super.close());
    return Promise.resolve();
  }
}

class ForgetsTheEndOfAnAppend extends PlantedBus {
  override publish(records: readonly OutgoingRecord[]): Promise<void> {
    return super.publish(records.map(({ event }) => ({ event })));
  }
}

class DecodesAtEachCall extends PlantedBus {
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    handler(changed(record, { read: () => structuredClone(record.read()) }));
  }
}

class StopsWhenTheHandlerThrows extends PlantedBus {
  #stopped = false;
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    if (this.#stopped) return;
    this.#stopped = true;
    handler(record);
    this.#stopped = false;
  }
}

class DoesNotReceiveItsOwnRecords extends PlantedBus {
  readonly #serverId: string;
  constructor(broker: MemoryBroker, serverId: string) {
    super(broker, serverId);
    this.#serverId = serverId;
  }

  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    if (record.server !== this.#serverId) handler(record);
  }
}

class AcceptsASecondServerOfTheSameId extends PlantedBus {
  override async start(handler: RecordHandler): Promise<void> {
    await super.start(handler).catch(() => {});
  }
}

class IsReadyBeforeItsStart extends PlantedBus {
  override health(): BusHealth {
    return { ready: true };
  }
}

/** Resolves before it has joined, so it misses the first records. */
class StartsTooEarly extends PlantedBus {
  override async start(handler: RecordHandler): Promise<void> {
    setImmediate(() => void super.start(handler).catch(() => {}));
  }
}

const history = new WeakMap<MemoryBroker, OutgoingRecord[]>();

/** Begins with the records from before its start. */
class ReplaysEarlierRecords extends PlantedBus {
  readonly #broker: MemoryBroker;
  constructor(broker: MemoryBroker, serverId: string) {
    super(broker, serverId);
    this.#broker = broker;
  }

  override async start(handler: RecordHandler): Promise<void> {
    await super.start(handler);
    const earlier = history.get(this.#broker) ?? [];
    if (earlier.length > 0) await this.inner.publish(earlier);
  }

  override async publish(records: readonly OutgoingRecord[]): Promise<void> {
    await super.publish(records);
    history.set(this.#broker, [...(history.get(this.#broker) ?? []), ...records]);
  }
}

class RefusesLargeRecords extends PlantedBus {
  override async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (JSON.stringify(records).length > 65_536) throw new Error('too large');
    await super.publish(records);
  }
}

class ForgetsThatTheBrokerIsAway extends PlantedBus {
  override async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (!this.health().ready && this.health().reason !== 'the memory broker is down') throw new Error('not running');
    await super.publish(records).catch(() => {});
  }
}

class LosesRecordsWhileDisconnected extends PlantedBus {
  protected override reconnected(): void {}
}

class StopsAtGarbage extends PlantedBus {
  #stopped = false;
  protected override receive(record: IncomingRecord, handler: RecordHandler): void {
    this.#stopped ||= record.read() === null;
    if (!this.#stopped) handler(record);
  }
}

/** Combines the calls of one turn into one write, and rejects all of them if one is too large. */
class RefusesTheNeighboursOfALargeRecord extends PlantedBus {
  #call: Promise<void> | null = null;
  #records: OutgoingRecord[] = [];
  override publish(records: readonly OutgoingRecord[]): Promise<void> {
    this.#records.push(...records);
    this.#call ??= nextTurn().then(() => {
      this.#call = null;
      return super.publish(this.#records.splice(0));
    });
    return this.#call;
  }
}

const GARBAGE: IncomingRecord = {
  key: 'r-5',
  server: 'another',
  seq: 2,
  batchEnd: null,
  isForServers: false,
  read: () => null,
};

type PlantedClass = new (broker: MemoryBroker, serverId: string) => PlantedBus;

/** Each defect, with the case that must fail for it. */
const DEFECTS: readonly (readonly [PlantedClass, string])[] = [
  [DropsEveryTenthRecord, 'three servers each receive every record of all three, once'],
  [RepeatsEveryTenthRecord, 'three servers each receive every record of all three, once'],
  [ReordersWithinAPlace, 'records of one place and kind keep the order in which one server published them'],
  [
    IsNeverForServers,
    'isForServers is true for the events that servers act on themselves, and false for every other event',
  ],
  [
    IsAlwaysForServers,
    'isForServers is true for the events that servers act on themselves, and false for every other event',
  ],
  [CorruptsOneKindOfEvent, 'every kind of event arrives unchanged, at the writer and at another server'],
  [
    LosesAcceptedRecordsOnClose,
    'close during publish settles every call, loses no accepted record and hands on nothing more',
  ],
  [
    HandsOnRecordsAfterClose,
    'close during publish settles every call, loses no accepted record and hands on nothing more',
  ],
  [ForgetsTheEndOfAnAppend, 'a record has its key, its writer and its numbers before its event is read'],
  [DecodesAtEachCall, 'a record is decoded once'],
  [StopsWhenTheHandlerThrows, 'a handler that throws loses only that record'],
  [DoesNotReceiveItsOwnRecords, 'servers that race in one place lose nothing, and each keeps its own order'],
  [AcceptsASecondServerOfTheSameId, 'a second live server of the same id is refused by name, and the first goes on'],
  [IsReadyBeforeItsStart, 'a bus that is not started publishes nothing, is not ready, and can be closed'],
  [StartsTooEarly, 'a server that restarts under its id while others publish receives every record from then on'],
  [ReplaysEarlierRecords, 'a server receives records that are published right after its start, and none from before'],
  [RefusesLargeRecords, 'a record of 700,000 bytes arrives'],
  [
    ForgetsThatTheBrokerIsAway,
    'while the broker is away publish rejects within 10 s and health says so, and later both work again',
  ],
  [LosesRecordsWhileDisconnected, 'a server whose connection is lost reconnects by itself and misses nothing'],
  [StopsAtGarbage, 'records that cannot be decoded are read as null and do not stop the records behind them'],
  [RefusesTheNeighboursOfALargeRecord, 'a record that is too large is refused alone'],
];

/** The names of the cases that a bus fails. */
async function failedCases(Bus: PlantedClass, timeoutMs?: number): Promise<string[]> {
  const failed = MESSAGE_BUS_CASES.map(async (one) => {
    const broker = new MemoryBroker();
    const harness: MessageBusHarness = {
      open: (serverId) => new Bus(broker, serverId),
      putGarbage: async () => broker.append([{ lane: 'garbage', record: GARBAGE }]),
      tooLargeContent: TOO_LARGE,
      interrupt: (bus) => (bus instanceof PlantedBus ? bus.interrupt() : Promise.reject(new Error('a foreign bus'))),
      stopBroker: async () => broker.stop(),
      startBroker: async () => broker.restart(),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    return runMessageBusCase(one, harness).then(
      () => [],
      () => [one.name],
    );
  });
  return (await Promise.all(failed)).flat();
}

/** `DropsEveryTenthRecord` as words. */
function words({ name }: PlantedClass): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
}

it.each(DEFECTS.map(([Bus, name]) => [words(Bus), Bus, name] as const))(
  'the suite finds a bus with the defect: %s',
  async (_, Bus, name) => {
    expect(await failedCases(Bus, 300)).toContain(name);
  },
);

it('the suite finds no defect in a bus without one', async () => {
  expect(await failedCases(PlantedBus)).toEqual([]);
});

it('each case of the suite has a defect that it must find', () => {
  const guarded = new Set(DEFECTS.map(([, name]) => name));
  expect(MESSAGE_BUS_CASES.map(({ name }) => name).filter((name) => !guarded.has(name))).toEqual([]);
});
