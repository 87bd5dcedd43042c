import type { Consumer } from 'kafkajs';
import type { RecordHandler } from '../../application/ports/message-bus.ts';
import type { RecordSource } from '../records/received-record.ts';
import type { Positions } from './broker-admin.ts';
import { type Client, type ClientOptions, disconnect, openClient } from './client.ts';
import { ReadPositions, StallWatch } from './positions.ts';
import { type ConsumedMessage, type FetchedBatch, takeBatch } from './take-batch.ts';

export interface TopicConsumerOptions {
  readonly client: ClientOptions;
  readonly topic: string;
  readonly group: string;
  readonly from: Positions;
  readonly source: RecordSource<ConsumedMessage>;
  readonly handler: RecordHandler;
  readonly timing: ConsumerTiming;
}

/** All times in milliseconds. */
export interface ConsumerTiming {
  /** After this time without a heartbeat the broker removes the member from the group. */
  readonly session: number;
  readonly heartbeat: number;
  /** After this time without a heartbeat this server replaces the consumer. */
  readonly silence: number;
  /** Interval between commits of the position. */
  readonly commit: number;
  /** Time that a fetch waits for the first record. */
  readonly fetchWait: number;
}

/** One kafkajs consumer, from its start to its first failure. */
interface RunningConsumer {
  readonly client: Client;
  readonly consumer: Consumer;
  over: boolean;
  readonly end: (reason: string) => void;
  readonly ended: Promise<string>;
}

const BYTES_PER_PARTITION = 256 * 1024;
const LEAVE_MS = 2_000;
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/**
 * Reads one topic from the given positions, as the only member of its group, until it is closed. A
 * consumer that crashes, stops its heartbeat or loses its group is replaced. The new one continues
 * at the same position.
 */
export class TopicConsumer {
  readonly #options: TopicConsumerOptions;
  readonly #positions: ReadPositions;
  readonly #stalls = new StallWatch();
  #running: RunningConsumer | null = null;
  #joined = false;
  #problem: string | null = 'has not joined its group yet';
  #lastHeartbeat = 0;
  #pause = MIN_PAUSE_MS;
  #committing = false;
  #closed = false;
  #main: Promise<void> | null = null;
  #wake: () => void = () => {};
  #tick: NodeJS.Timeout | undefined;

  constructor(options: TopicConsumerOptions) {
    this.#options = options;
    this.#positions = new ReadPositions(options.from);
  }

  get topic(): string {
    return this.#options.topic;
  }

  /** A human-readable description of the present problem; null while records are read. */
  get problem(): string | null {
    const silent = performance.now() - this.#lastHeartbeat;
    if (this.#problem === null && silent > this.#options.timing.silence) {
      return `no heartbeat for ${Math.round(silent / 1000)} s`;
    }
    return this.#problem;
  }

  /**
   * Resolves when the consumer has joined its group for the first time. It misses no record that is
   * written afterwards.
   */
  start(): Promise<void> {
    const { commit } = this.#options.timing;
    this.#tick = setInterval(() => this.#check(), commit).unref();
    return new Promise((resolve) => {
      this.#main = this.#run(resolve);
    });
  }

  /**
   * Replaces a consumer that does not read although there are records. `newest` are the present
   * ends of the partitions.
   */
  checkLag(newest: Positions): void {
    if (this.#joined && this.#stalls.isStalled(this.#positions, newest))
      this.restart('reads nothing although there are records');
  }

  /** Replaces the present consumer by a new one. */
  restart(reason: string): void {
    if (this.#closed) return;
    this.#problem = `restarting: ${reason}`;
    this.#running?.end(reason);
  }

  /** Leaves the group. No record is handed on after the call. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#tick);
    this.#running?.end('closed');
    this.#wake();
    await this.#main;
  }

  async #run(joined: () => void): Promise<void> {
    const { client, topic } = this.#options;
    while (!this.#closed) {
      const reason = await this.#runOnce(joined);
      this.#joined = false;
      if (this.#closed) break;
      this.#problem = `restarting: ${reason}`;
      client.telemetry.log('warn', 'kafka consumer is replaced', { topic, error: reason, delayMs: this.#pause });
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, this.#pause);
      });
      this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_MS);
    }
    this.#problem = 'closed';
  }

  async #runOnce(joined: () => void): Promise<string> {
    const running = this.#begin();
    this.#running = running;
    this.#lastHeartbeat = performance.now();
    this.#listen(running, joined);
    this.#consume(running).catch((error: unknown) =>
      running.end(error instanceof Error ? error.message : String(error)),
    );
    const reason = await running.ended;
    // A member that leaves lets the next one join at once. Otherwise the broker waits for its
    // session timeout.
    await disconnect(running.consumer, LEAVE_MS);
    running.client.abandon();
    return reason;
  }

  #begin(): RunningConsumer {
    const { client: options, group, timing } = this.#options;
    const client = openClient(options);
    const consumer = client.kafka.consumer({
      groupId: group,
      sessionTimeout: timing.session,
      // The broker waits this long for an earlier consumer that could not leave.
      rebalanceTimeout: timing.session,
      heartbeatInterval: timing.heartbeat,
      minBytes: 1,
      maxWaitTimeInMs: timing.fetchWait,
      maxBytesPerPartition: BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      retry: {
        retries: options.retries,
        initialRetryTime: 100,
        maxRetryTime: 1_000,
        restartOnFailure: async () => false,
      },
    });
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    const running: RunningConsumer = {
      client,
      consumer,
      over: false,
      ended,
      end: (reason) => {
        running.over = true;
        resolve(reason);
      },
    };
    return running;
  }

  #listen(running: RunningConsumer, joined: () => void): void {
    const { topic, group, client } = this.#options;
    const { consumer } = running;
    const heartbeat = () => {
      if (!running.over) this.#lastHeartbeat = performance.now();
    };
    consumer.on(consumer.events.HEARTBEAT, heartbeat);
    consumer.on(consumer.events.CRASH, ({ payload }) => running.end(payload.error.message));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (running.over) return;
      heartbeat();
      const assigned = payload.memberAssignment[topic] ?? [];
      for (const partition of assigned) {
        consumer.seek({ topic, partition, offset: String(this.#positions.of(partition)) });
      }
      const complete = this.#positions.entries().every(([partition]) => assigned.includes(partition));
      this.#problem = complete ? null : `another server uses the same server id, so the group ${group} is shared`;
      if (!complete)
        client.telemetry.log('error', 'another server uses the same server id; each server needs its own SERVER_ID', {
          topic,
          group,
        });
      this.#joined = true;
      this.#pause = MIN_PAUSE_MS;
      joined();
    });
  }

  async #consume(running: RunningConsumer): Promise<void> {
    const { topic } = this.#options;
    await running.consumer.connect();
    await running.consumer.subscribe({ topic, fromBeginning: true });
    await running.consumer.run({
      // A commit inside the fetch loop costs tens of milliseconds a batch.
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachBatch: async ({ batch }) => {
        if (!running.over) this.#take(batch);
      },
    });
  }

  #take(batch: FetchedBatch): void {
    const { handler, source, client } = this.#options;
    takeBatch(batch, this.#positions, source, handler, (error) => {
      client.telemetry.log('error', 'record handler threw', { topic: this.topic, error });
    });
  }

  #check(): void {
    const running = this.#running;
    if (running === null || running.over) return;
    const silent = performance.now() - this.#lastHeartbeat;
    if (silent > this.#options.timing.silence) running.end(`no heartbeat for ${Math.round(silent / 1000)} s`);
    else void this.#commit(running);
  }

  /**
   * Stores the position in the group, so that operators can see the lag. This server never reads
   * it.
   */
  async #commit({ consumer }: RunningConsumer): Promise<void> {
    if (!this.#joined || this.#committing) return;
    const { topic } = this.#options;
    const moved = this.#positions.takeChanged();
    if (moved.length === 0) return;
    this.#committing = true;
    try {
      await consumer.commitOffsets(moved.map(([partition, next]) => ({ topic, partition, offset: String(next) })));
    } catch {
      // The next commit repeats it.
    } finally {
      this.#committing = false;
    }
  }
}
