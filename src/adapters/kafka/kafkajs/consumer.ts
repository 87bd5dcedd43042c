import type { Consumer } from 'kafkajs';
import type { KafkaConsumer, KafkaConsumerOptions } from '../driver.ts';
import { type Client, type ClientContext, disconnect, METADATA_MS, openClient } from './client.ts';

const BYTES_PER_PARTITION = 256 * 1024;
/**
 * kafkajs repeats a request for about 15 s or more. A cluster takes ten to elect other leaders and
 * coordinators for those of a dead broker. Meanwhile the consumer reads from the other brokers. One
 * that replaced it would read nothing until the group forgets the old member.
 */
const RETRIES = 60;
const MAX_RETRY_PAUSE_MS = 300;

export class KafkaJsConsumer implements KafkaConsumer {
  readonly #options: KafkaConsumerOptions;
  readonly #client: Client;
  readonly #consumer: Consumer;
  /**
   * Resolves when the consumer has joined its group for the first time. kafkajs ignores commits
   * before.
   */
  readonly #joined: Promise<void>;
  #over = false;

  constructor(context: ClientContext, options: KafkaConsumerOptions) {
    const { group, timing } = options;
    this.#options = options;
    this.#client = openClient(context, { retries: RETRIES, maxPauseMs: MAX_RETRY_PAUSE_MS });
    this.#consumer = this.#client.kafka.consumer({
      groupId: group,
      sessionTimeout: timing.session,
      // The broker waits this long for an earlier consumer that could not leave.
      rebalanceTimeout: timing.session,
      heartbeatInterval: timing.heartbeat,
      minBytes: 1,
      maxWaitTimeInMs: timing.fetchWait,
      maxBytesPerPartition: BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MS,
      retry: {
        retries: RETRIES,
        initialRetryTime: 100,
        maxRetryTime: MAX_RETRY_PAUSE_MS,
        restartOnFailure: async () => false,
      },
    });
    this.#listen();
    this.#joined = this.#run();
    this.#joined.catch((error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))));
  }

  async commit(positions: readonly (readonly [partition: number, next: number])[]): Promise<void> {
    const { topic } = this.#options;
    await this.#joined;
    await this.#consumer.commitOffsets(
      positions.map(([partition, next]) => ({ topic, partition, offset: String(next) })),
    );
  }

  async leave(ms: number): Promise<void> {
    this.#over = true;
    await disconnect(this.#consumer, ms);
    this.#client.abandon();
  }

  #end(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onEnd(error);
  }

  #listen(): void {
    const consumer = this.#consumer;
    const { topic, position, onHeartbeat, onJoined } = this.#options;
    consumer.on(consumer.events.HEARTBEAT, () => {
      if (!this.#over) onHeartbeat();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#end(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (this.#over) return;
      const assigned = payload.memberAssignment[topic] ?? [];
      for (const partition of assigned) consumer.seek({ topic, partition, offset: String(position(partition)) });
      onJoined(assigned);
    });
  }

  async #run(): Promise<void> {
    const { topic, onBatch } = this.#options;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    await this.#consumer.run({
      // A commit inside the fetch loop costs tens of milliseconds a batch.
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachBatch: async ({ batch }) => {
        if (!this.#over) onBatch(batch);
      },
    });
  }
}
