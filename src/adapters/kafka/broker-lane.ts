import { withTimeout } from '../support/with-timeout.ts';
import type { KafkaDriver, KafkaProducer, OutgoingMessage } from './driver.ts';
import type { PartitionQueue, QueuedRecord } from './partition-queues.ts';

export interface BrokerLaneParts {
  readonly driver: KafkaDriver;
  /** The partitions that this broker leads. */
  readonly queues: () => readonly PartitionQueue[];
  /** Called before each request. */
  readonly giveUpOverdue: () => void;
  readonly settled: (topic: string, records: readonly QueuedRecord[]) => void;
  /** A request failed, or has been under way for a second. */
  readonly troubled: () => void;
  /** The broker refuses this record for its size. It is not in its queue any more. */
  readonly tooLarge: (record: QueuedRecord, error: Error) => void;
  /** The user may not write to this topic. The records are not in its queues any more. */
  readonly unauthorized: (topic: string, records: readonly QueuedRecord[], error: Error) => void;
}

/** Bytes of a request. A broker accepts about one megabyte by default. */
const MAX_REQUEST_BYTES = 512 * 1024;
const MIN_REQUEST_BYTES = 1_024;
/** Estimated size of a record's key and headers. */
const HEADER_BYTES = 200;
const ATTEMPT_MS = 4_000;
/** A request that takes longer is a sign of trouble. */
const SLOW_MS = 1_000;
/** How long a failure counts if nothing is sent any more. Then the next record tries again. */
const FAILURE_MS = 10_000;
const MIN_RETRY_PAUSE_MS = 100;
const MAX_RETRY_PAUSE_MS = 400;

/**
 * Writes the records of the partitions that one broker leads. It sends one request at a time, so
 * that a repeated request keeps the order of each partition. Records that arrive meanwhile go into
 * the next request together. After a failure it opens a new client with new connections.
 */
export class BrokerLane {
  readonly #parts: BrokerLaneParts;
  #producer: KafkaProducer | null = null;
  #maxBytes = MAX_REQUEST_BYTES;
  #failure: { readonly error: string; readonly at: number } | null = null;
  #isSlow = false;
  #running: Promise<void> | null = null;
  #underWay: readonly PartitionQueue[] = [];
  #first = 0;
  /** Topics that share no request with others: one of them may not be written to. */
  readonly #apart = new Set<string>();
  #isStale = false;
  #abort: (reason: Error) => void = () => {};

  constructor(parts: BrokerLaneParts) {
    this.#parts = parts;
  }

  /** The error of the last request if it failed less than 10 s ago, otherwise null. */
  get failure(): string | null {
    // Otherwise a server that sends nothing more would stay unhealthy forever.
    return this.#failure !== null && performance.now() - this.#failure.at < FAILURE_MS ? this.#failure.error : null;
  }

  /** True if the last request failed or the present one takes long. */
  get isTroubled(): boolean {
    return this.#isSlow || this.failure !== null;
  }

  /** The partitions with records in the present request. */
  get underWay(): readonly PartitionQueue[] {
    return this.#underWay;
  }

  /** Connects before the first record is sent. If it fails, the first record tries again. */
  async connect(): Promise<void> {
    const producer = this.#open();
    await producer.connect().catch(() => this.#drop());
  }

  /** Sends what waits for the partitions of this broker, until nothing waits. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Gives up the present request. Its records stay in their queues. */
  abort(reason: Error): void {
    this.#abort(reason);
  }

  /**
   * Uses a new client from the next request on. The present one does not know yet that the broker
   * leads more partitions.
   */
  reopen(): void {
    this.#isStale = true;
  }

  /** Closes the connections: the broker leads no partition any more. */
  abandon(): void {
    this.#drop();
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.close();
  }

  async #run(): Promise<void> {
    // Calls of the same turn of the event loop go into one request.
    await Promise.resolve();
    let pause = MIN_RETRY_PAUSE_MS;
    for (;;) {
      this.#parts.giveUpOverdue();
      const batch = this.#nextBatch();
      if (batch.size === 0) break;
      const error = await this.#attempt(batch);
      if (error === null) {
        pause = MIN_RETRY_PAUSE_MS;
        continue;
      }
      const { kind } = this.#parts.driver.classify(error);
      if (kind === 'too-large') {
        this.#refused(batch, error);
        continue;
      }
      if (kind === 'unauthorized') {
        this.#unauthorized(batch, error);
        continue;
      }
      this.#failure = { error: error.message, at: performance.now() };
      this.#drop();
      this.#parts.troubled();
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, MAX_RETRY_PAUSE_MS);
    }
    // Not in a later microtask: records that are added from now on begin a new run.
    this.#running = null;
  }

  /** Sends one request. Resolves with its error, or null if the records are written. */
  async #attempt(batch: ReadonlyMap<PartitionQueue, readonly QueuedRecord[]>): Promise<Error | null> {
    this.#underWay = [...batch.keys()];
    for (const queue of batch.keys()) queue.isBusy = true;
    const slow = setTimeout(() => {
      this.#isSlow = true;
      this.#parts.troubled();
    }, SLOW_MS);
    const aborted = new Promise<never>((_, reject) => {
      this.#abort = reject;
    });
    try {
      const sent = Promise.race([this.#open().send(messagesOf(batch)), aborted]);
      await withTimeout(ATTEMPT_MS, sent, () => new Error(`no answer within ${ATTEMPT_MS} ms`));
      for (const [queue, records] of batch) queue.records = queue.records.slice(records.length);
      for (const [{ topic }, records] of batch) {
        this.#apart.delete(topic);
        this.#parts.settled(topic, records);
      }
      this.#failure = null;
      this.#maxBytes = Math.min(MAX_REQUEST_BYTES, this.#maxBytes * 2);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      clearTimeout(slow);
      this.#isSlow = false;
      this.#abort = () => {};
      this.#underWay = [];
      for (const queue of batch.keys()) queue.isBusy = false;
    }
  }

  /** The first records of each queue. They stay there until they are settled. */
  #nextBatch(): Map<PartitionQueue, readonly QueuedRecord[]> {
    const batch = new Map<PartitionQueue, readonly QueuedRecord[]>();
    let bytes = 0;
    let isOneLeft = false;
    const queues = this.#parts.queues();
    for (let index = 0; index < queues.length; index += 1) {
      const queue = queues[(this.#first + index) % queues.length];
      if (queue === undefined || queue.isBusy || queue.records.length === 0) continue;
      if (!this.#fits(batch, queue)) {
        isOneLeft = true;
        continue;
      }
      const end = queue.records.findIndex(({ record }, before) => {
        bytes += Buffer.byteLength(record.value) + HEADER_BYTES;
        return (before > 0 || batch.size > 0) && bytes > this.#maxBytes;
      });
      if (end !== 0) batch.set(queue, queue.records.slice(0, end === -1 ? queue.records.length : end));
      if (end === -1) continue;
      isOneLeft = true;
      break;
    }
    // Another partition is the first one in the next request.
    if (isOneLeft) this.#first += 1;
    return batch;
  }

  #fits(batch: ReadonlyMap<PartitionQueue, unknown>, { topic }: PartitionQueue): boolean {
    const [first] = batch.keys();
    if (first === undefined || first.topic === topic) return true;
    return !this.#apart.has(first.topic) && !this.#apart.has(topic);
  }

  /**
   * The user may not write to one of the topics. If the request has several, the next requests have
   * one each. The same user may write to the other topics.
   */
  #unauthorized(batch: ReadonlyMap<PartitionQueue, readonly QueuedRecord[]>, error: Error): void {
    const topics = new Set([...batch.keys()].map(({ topic }) => topic));
    for (const topic of topics) this.#apart.add(topic);
    const [topic] = topics;
    if (topic === undefined || topics.size > 1) return;
    for (const [queue, records] of batch) queue.records = queue.records.slice(records.length);
    this.#parts.unauthorized(topic, [...batch.values()].flat(), error);
  }

  /**
   * The request was too large. The next one is half as large, until only the record that is too
   * large is left.
   */
  #refused(batch: ReadonlyMap<PartitionQueue, readonly QueuedRecord[]>, error: Error): void {
    const [[queue, records] = [], second] = batch;
    const [record] = records ?? [];
    if (second !== undefined || (records?.length ?? 0) > 1) {
      this.#maxBytes = Math.max(MIN_REQUEST_BYTES, Math.floor(this.#maxBytes / 2));
      return;
    }
    if (queue === undefined || record === undefined) return;
    queue.records = queue.records.filter((queued) => queued !== record);
    this.#parts.tooLarge(record, error);
  }

  #open(): KafkaProducer {
    if (this.#isStale) this.#drop();
    this.#producer ??= this.#parts.driver.openProducer();
    return this.#producer;
  }

  #drop(): void {
    this.#isStale = false;
    this.#producer?.abandon();
    this.#producer = null;
  }
}

function messagesOf(
  batch: ReadonlyMap<PartitionQueue, readonly QueuedRecord[]>,
): ReadonlyMap<string, readonly OutgoingMessage[]> {
  const byTopic = new Map<string, OutgoingMessage[]>();
  for (const [{ topic, partition }, records] of batch) {
    let messages = byTopic.get(topic);
    if (messages === undefined) {
      messages = [];
      byTopic.set(topic, messages);
    }
    for (const { record } of records) {
      const { key, value, headers } = record;
      messages.push({ key, value, headers, partition });
    }
  }
  return byTopic;
}
