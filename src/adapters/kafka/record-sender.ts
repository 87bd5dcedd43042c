import { setTimeout as delay } from 'node:timers/promises';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { EncodedRecord } from '../records/record-codec.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { BrokerLane } from './broker-lane.ts';
import { type KafkaDriver, type Leaders, NO_LEADER } from './driver.ts';
import { MissingRightError } from './missing-right.ts';
import { type Call, type PartitionQueue, PartitionQueues, type QueuedRecord } from './partition-queues.ts';
import type { NamePerStream } from './topics.ts';

export interface RecordSenderParts {
  readonly driver: KafkaDriver;
  readonly topics: NamePerStream;
  readonly telemetry: Telemetry;
}

const MAX_QUEUED_RECORDS = 50_000;
/**
 * A call that is older is given up at the next failure. With one more attempt it settles within 10
 * s.
 */
const GIVE_UP_MS = 6_000;
/** Time between two questions for the leaders while one of them is in trouble. */
const WATCH_PAUSE_MS = 100;
const MAX_WATCH_PAUSE_MS = 1_000;
/** How long one connection is used for these questions. */
const WATCH_MS = 5_000;
/** How long a missing right counts as a failure if nothing is sent to the topic any more. */
const REFUSAL_MS = 60_000;

/**
 * Writes records and waits for the acknowledgement of all in-sync replicas. Each broker has a lane
 * of its own, so that a dead one delays only the partitions that it leads. While a lane is in
 * trouble, the sender asks the other brokers for the new leaders of these partitions.
 */
export class RecordSender {
  readonly #parts: RecordSenderParts;
  readonly #queues = new PartitionQueues();
  readonly #lanes = new Map<number, BrokerLane>();
  /** The partitions that each broker leads. */
  #led: ReadonlyMap<number, readonly PartitionQueue[]> = new Map();
  /** The topics that the user may not write to, and when a request was refused last. */
  readonly #refusals = new Map<string, { readonly error: Error; readonly at: number }>();
  #watching = false;
  #closed = false;

  constructor(parts: RecordSenderParts) {
    this.#parts = parts;
  }

  /** The error of a request that failed less than 10 s ago, or a missing right, otherwise null. */
  get failure(): string | null {
    for (const { error, at } of this.#refusals.values()) {
      if (performance.now() - at < REFUSAL_MS) return error.message;
    }
    for (const { failure } of this.#lanes.values()) if (failure !== null) return failure;
    return null;
  }

  /** Connects to the leaders before the first record is sent. Must be called before `send`. */
  async connect(leaders: Leaders): Promise<void> {
    this.learn(leaders);
    await Promise.all([...this.#led.keys()].map((broker) => this.#lane(broker).connect()));
  }

  /** Takes the present leaders and partitions of the topics. */
  learn(leaders: Leaders): void {
    if (this.#closed) return;
    this.#queues.learn(leaders);
    const before = this.#led;
    const led = Map.groupBy(this.#queues.all, ({ leader }) => leader);
    led.delete(NO_LEADER);
    this.#led = led;
    for (const [broker, lane] of this.#lanes) {
      const hasMoved = lane.underWay.some(({ leader }) => leader !== broker);
      if (hasMoved && lane.isTroubled) lane.abort(new Error(`broker ${broker} leads a partition no more`));
      if (led.has(broker) || lane.underWay.length > 0) continue;
      lane.abandon();
      this.#lanes.delete(broker);
    }
    for (const [broker, queues] of led) {
      const lane = this.#lane(broker);
      if (queues.some((queue) => before.get(broker)?.includes(queue) !== true)) lane.reopen();
      if (queues.some(isWaiting)) void lane.run();
    }
  }

  send(records: readonly EncodedRecord[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the message bus is closed'));
    if (records.length === 0) return Promise.resolve();
    const waiting = this.#queues.all.reduce((sum, queue) => sum + queue.records.length, 0);
    if (waiting + records.length > MAX_QUEUED_RECORDS) {
      return Promise.reject(new Error(`more than ${MAX_QUEUED_RECORDS} records wait for Kafka`));
    }
    return new Promise((resolve, reject) => {
      const call: Call = { unacknowledged: records.length, until: performance.now() + GIVE_UP_MS, resolve, reject };
      const leaders = new Set<number>();
      for (const record of records) {
        leaders.add(this.#queues.add(this.#parts.topics[record.stream], { record, call }).leader);
      }
      for (const leader of leaders) this.#run(leader);
    });
  }

  /** Accepts no more records. Those in the queues are sent or rejected within `ms`. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    const lanes = [...this.#lanes.values()];
    const idle = Promise.all(lanes.map((lane) => lane.run()));
    await withTimeout(ms, idle, () => new Error('timeout')).catch(() => {});
    for (const queue of this.#queues.all) {
      for (const { call } of queue.records.splice(0))
        call.reject(new Error('the message bus was closed before Kafka acknowledged the record'));
    }
    await Promise.all(lanes.map((lane) => lane.close()));
  }

  #lane(broker: number): BrokerLane {
    let lane = this.#lanes.get(broker);
    if (lane === undefined) {
      lane = new BrokerLane({
        driver: this.#parts.driver,
        queues: () => this.#led.get(broker) ?? [],
        giveUpOverdue: () => this.#giveUpOverdue(),
        settled: (topic, records) => {
          this.#refusals.delete(topic);
          settle(records);
        },
        troubled: () => void this.#watch(),
        tooLarge: (record, error) => this.#tooLarge(record, error),
        unauthorized: (topic, records, error) => this.#unauthorized(topic, records, error),
      });
      this.#lanes.set(broker, lane);
    }
    return lane;
  }

  #run(broker: number): void {
    if (broker === NO_LEADER) void this.#watch();
    else void this.#lane(broker).run();
  }

  /** Asks for the leaders until none of them is in trouble. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const { driver, topics } = this.#parts;
    const names = Object.values(topics);
    for (let pause = WATCH_PAUSE_MS; this.#isTroubled; pause = Math.min(pause * 2, MAX_WATCH_PAUSE_MS)) {
      const until = performance.now() + WATCH_MS;
      try {
        await driver.withAdmin(2 * WATCH_MS, 'reading the leaders', async (admin) => {
          while (this.#isTroubled && performance.now() < until) {
            this.learn(await admin.leaders(names));
            pause = WATCH_PAUSE_MS;
            this.#giveUpOverdue();
            await delay(WATCH_PAUSE_MS);
          }
        });
      } catch {
        await delay(pause);
      }
      this.#giveUpOverdue();
    }
    this.#watching = false;
  }

  get #isTroubled(): boolean {
    if (this.#closed) return false;
    for (const lane of this.#lanes.values()) if (lane.isTroubled) return true;
    return this.#queues.all.some((queue) => queue.leader === NO_LEADER && isWaiting(queue));
  }

  /** Other servers may have published records that wait for so long. */
  #giveUpOverdue(): void {
    const now = performance.now();
    this.#giveUp(({ until }) => until <= now, new Error('the records waited too long'));
  }

  #tooLarge({ record: { key }, call }: QueuedRecord, error: Error): void {
    this.#parts.telemetry.log('error', 'a record is too large for Kafka', { key, error });
    call.reject(refusal(error));
    this.#giveUp((one) => one === call, error);
  }

  /** The records of other topics are still written. */
  #unauthorized(topic: string, records: readonly QueuedRecord[], cause: Error): void {
    const error = new MissingRightError({ operation: 'Write', resource: 'topic', name: topic }, cause);
    const isKnown = performance.now() - (this.#refusals.get(topic)?.at ?? Number.NEGATIVE_INFINITY) < REFUSAL_MS;
    this.#refusals.set(topic, { error, at: performance.now() });
    if (!isKnown) this.#parts.telemetry.log('error', 'Kafka refuses to write records', { topic, error });
    const calls = new Set(records.map(({ call }) => call));
    for (const call of calls) call.reject(refusal(error));
    this.#giveUp((call) => calls.has(call), error);
  }

  /** Records of a request that is under way stay until it ends. */
  #giveUp(isLost: (call: Call) => boolean, error: Error): void {
    for (const queue of this.#queues.all) {
      if (queue.isBusy || !queue.records.some(({ call }) => isLost(call))) continue;
      const failure = refusal(error);
      queue.records = queue.records.filter(({ call }) => {
        if (!isLost(call)) return true;
        call.reject(failure);
        return false;
      });
    }
  }
}

function isWaiting({ records }: PartitionQueue): boolean {
  return records.length > 0;
}

function settle(records: readonly QueuedRecord[]): void {
  for (const { call } of records) {
    call.unacknowledged -= 1;
    if (call.unacknowledged === 0) call.resolve();
  }
}

function refusal(error: Error): Error {
  return new Error(`Kafka did not accept the records: ${error.message}`, { cause: error });
}
