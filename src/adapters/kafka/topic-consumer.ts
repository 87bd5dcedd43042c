import type { Consumer } from 'kafkajs';
import type { RecordHandler } from '../../application/ports/message-bus.ts';
import type { Positions } from './broker-admin.ts';
import { type Client, type ClientOptions, openClient, within } from './client.ts';
import type { RecordSource } from './kafka-record.ts';
import { ReadPositions, StallWatch } from './positions.ts';
import { type FetchedBatch, takeBatch } from './take-batch.ts';

export interface TopicConsumerOptions {
  readonly client: ClientOptions;
  readonly topic: string;
  readonly group: string;
  readonly from: Positions;
  readonly source: RecordSource;
  readonly handler: RecordHandler;
  readonly timing: ConsumerTiming;
}

/** Milliseconds. */
export interface ConsumerTiming {
  /** After this time without a heart-beat the broker takes the member for dead. */
  readonly session: number;
  readonly heartbeat: number;
  /** After this time without a heart-beat the consumer is replaced. */
  readonly silence: number;
  readonly commit: number;
  /** How long a fetch waits for the first record. */
  readonly fetchWait: number;
}

/** One kafkajs consumer, from its start to the first thing that goes wrong with it. */
interface Life {
  readonly client: Client;
  readonly consumer: Consumer;
  over: boolean;
  readonly end: (reason: string) => void;
  readonly ended: Promise<string>;
}

const BYTES_PER_PARTITION = 256 * 1024;
const LEAVE_MS = 2_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Reads one topic from given positions on as the only member of one group, until it is closed. A consumer that crashes, falls silent or loses its
 * group is replaced by a new one that goes on where it was.
 */
export class TopicConsumer {
  readonly #options: TopicConsumerOptions;
  readonly #positions: ReadPositions;
  readonly #stalls = new StallWatch();
  #life: Life | null = null;
  #joined = false;
  #trouble: string | null = 'has not joined its group yet';
  #lastSign = 0;
  #pause = FIRST_PAUSE_MS;
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

  /** What is wrong at present, for people; null while records are read. */
  get trouble(): string | null {
    const silent = Date.now() - this.#lastSign;
    if (this.#trouble === null && silent > this.#options.timing.silence) {
      return `no heart-beat for ${Math.round(silent / 1000)} s`;
    }
    return this.#trouble;
  }

  /** Resolves when the group has been joined for the first time: from then on nothing written is missed. */
  start(): Promise<void> {
    const { commit } = this.#options.timing;
    this.#tick = setInterval(() => this.#look(), commit).unref();
    return new Promise((resolve) => {
      this.#main = this.#run(resolve);
    });
  }

  /** `newest`: where the topic's partitions end at this moment. Replaces a consumer that reads nothing although there is something. */
  checkLag(newest: Positions): void {
    if (this.#joined && this.#stalls.look(this.#positions, newest)) this.restart('reads nothing although records wait');
  }

  /** Puts a new consumer in the place of the present one. */
  restart(reason: string): void {
    if (this.#closed) return;
    this.#trouble = `is started again: ${reason}`;
    this.#life?.end(reason);
  }

  /** Leaves the group. No record is handed on any more once this was called. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#tick);
    this.#life?.end('closed');
    this.#wake();
    await this.#main;
  }

  async #run(joined: () => void): Promise<void> {
    const { client, topic } = this.#options;
    while (!this.#closed) {
      const reason = await this.#live(joined);
      this.#joined = false;
      if (this.#closed) break;
      this.#trouble = `is started again: ${reason}`;
      client.telemetry.log('warn', 'kafka consumer is replaced', { topic, reason, inMs: this.#pause });
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, this.#pause);
      });
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    }
    this.#trouble = 'closed';
  }

  async #live(joined: () => void): Promise<string> {
    const life = this.#begin();
    this.#life = life;
    this.#lastSign = Date.now();
    this.#listen(life, joined);
    this.#consume(life).catch((error: unknown) => life.end(error instanceof Error ? error.message : String(error)));
    const reason = await life.ended;
    // Leaving lets the next member in at once; whoever can't leave is waited for by the broker.
    await within(LEAVE_MS, 'leaving the group', life.consumer.disconnect()).catch(() => {});
    life.client.abandon();
    return reason;
  }

  #begin(): Life {
    const { client: options, group, timing } = this.#options;
    const client = openClient(options);
    const consumer = client.kafka.consumer({
      groupId: group,
      sessionTimeout: timing.session,
      // A predecessor that could not leave would be waited for until then.
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
    const life: Life = {
      client,
      consumer,
      over: false,
      ended,
      end: (reason) => {
        life.over = true;
        resolve(reason);
      },
    };
    return life;
  }

  #listen(life: Life, joined: () => void): void {
    const { topic, group, client } = this.#options;
    const { consumer } = life;
    const sign = () => {
      if (!life.over) this.#lastSign = Date.now();
    };
    consumer.on(consumer.events.HEARTBEAT, sign);
    consumer.on(consumer.events.CRASH, ({ payload }) => life.end(payload.error.message));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (life.over) return;
      sign();
      const assigned = payload.memberAssignment[topic] ?? [];
      for (const partition of assigned) {
        consumer.seek({ topic, partition, offset: String(this.#positions.of(partition)) });
      }
      const complete = this.#positions.entries().every(([partition]) => assigned.includes(partition));
      this.#trouble = complete ? null : `shares its group ${group} with another server of the same server id`;
      if (!complete) client.telemetry.log('error', 'another server uses this server id', { topic, group });
      this.#joined = true;
      this.#pause = FIRST_PAUSE_MS;
      joined();
    });
  }

  async #consume(life: Life): Promise<void> {
    const { topic } = this.#options;
    await life.consumer.connect();
    await life.consumer.subscribe({ topic, fromBeginning: true });
    await life.consumer.run({
      // Committing inside the fetch loop costs tens of milliseconds a batch.
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachBatch: async ({ batch }) => {
        if (!life.over) this.#take(batch);
      },
    });
  }

  #take(batch: FetchedBatch): void {
    const { handler, source, client } = this.#options;
    takeBatch(batch, this.#positions, source, handler, (error) => {
      client.telemetry.log('error', 'record handler threw', { topic: this.topic, error: String(error) });
    });
  }

  #look(): void {
    const life = this.#life;
    if (life === null || life.over) return;
    const silent = Date.now() - this.#lastSign;
    if (silent > this.#options.timing.silence) life.end(`no heart-beat for ${Math.round(silent / 1000)} s`);
    else void this.#commit(life);
  }

  /** Tells the group how far we are: for those who watch lags. Nothing here reads it again. */
  async #commit({ consumer }: Life): Promise<void> {
    if (!this.#joined || this.#committing) return;
    const { topic } = this.#options;
    const moved = this.#positions.takeChanged();
    if (moved.length === 0) return;
    this.#committing = true;
    try {
      await consumer.commitOffsets(moved.map(([partition, next]) => ({ topic, partition, offset: String(next) })));
    } catch {
      // The next commit says it again.
    } finally {
      this.#committing = false;
    }
  }
}
