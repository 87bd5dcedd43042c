import { setTimeout as delay } from 'node:timers/promises';
import {
  type ClusterMetadata,
  ConnectionPool,
  Consumer,
  type KafkaRecord,
  type RecordsBatch,
} from '@platformatic/kafka';
import { withTimeout } from '../../support/with-timeout.ts';
import type { ConsumedMessage, KafkaConsumer, KafkaConsumerOptions } from '../driver.ts';
import { abandon, type ClientContext, Connections, clientOptions, REQUEST_MS } from './client.ts';
import { answersIn, classify, errorsIn, withCause } from './errors.ts';
import { boundFetches, problemOf } from './fetch-response.ts';

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

const BYTES_PER_PARTITION = 256 * 1024;
const MAX_BYTES = 6 * BYTES_PER_PARTITION;
/**
 * The library repeats the requests of the group for about 18 s. A cluster takes ten to elect other
 * coordinators for those of a dead broker. Meanwhile the consumer reads from the other brokers.
 */
const RETRIES = 120;
const RETRY_PAUSE_MS = 150;
/** Time before the new leaders of the partitions of a dead broker are looked for. */
const MOVE_PAUSE_MS = 100;
/** How long fetches are short after a leader was lost. */
const MOVE_MS = 3_000;
/** Marks a batch of records that Kafka wrote itself, such as the end of a transaction. */
const CONTROL_BATCH = 0x20;
const UNKNOWN_EPOCH = -1;

/**
 * Joins the group by the library's consumer, but fetches itself. The streams of the library give
 * single messages and hide the newest offset of a partition.
 */
export class PlatformaticConsumer implements KafkaConsumer {
  readonly #options: KafkaConsumerOptions;
  readonly #consumer: Consumer;
  /**
   * Never joins the group. It repeats no request, because the library repeats a fetch at the same
   * broker also after another one leads the partitions.
   */
  readonly #fetcher: Consumer;
  readonly #context: ClientContext;
  readonly #connections: Connections;
  /** Brokers handle one request of a connection at a time, so a fetch would delay heartbeats. */
  readonly #fetchPool: ConnectionPool;
  /** For each assigned partition the offset of the next record. */
  readonly #next = new Map<number, bigint>();
  readonly #busyBrokers = new Set<number>();
  readonly #busyPartitions = new Set<number>();
  /** Number of partitions of the topic at the last look; 0 before the first one. */
  #partitionCount = 0;
  #retry: NodeJS.Timeout | undefined;
  /** When a fetch last failed because its broker died or leads the partitions no more. */
  #movedAt = Number.NEGATIVE_INFINITY;
  #over = false;

  constructor(context: ClientContext, options: KafkaConsumerOptions) {
    const { group, timing } = options;
    this.#context = context;
    this.#options = options;
    this.#connections = new Connections(context.log);
    const common = clientOptions(context.options);
    this.#consumer = new Consumer({
      ...common,
      // A join waits for an earlier consumer that could not leave.
      requestTimeout: timing.session + REQUEST_MS,
      groupId: group,
      sessionTimeout: timing.session,
      rebalanceTimeout: timing.session,
      heartbeatInterval: timing.heartbeat,
      autocommit: false,
      retries: RETRIES,
      retryDelay: RETRY_PAUSE_MS,
    });
    this.#fetcher = new Consumer({
      ...common,
      groupId: group,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      maxWaitTime: timing.fetchWait,
      retries: 0,
    });
    this.#fetchPool = new ConnectionPool(common.clientId, common);
    this.#connections.watch(this.#consumer.connections);
    this.#connections.watch(this.#fetcher.connections);
    this.#connections.watch(this.#fetchPool);
    boundFetches(this.#fetchPool);
    this.#listen();
    this.#consumer.topics.track(options.topic);
    this.#fetcher.topics.track(options.topic);
    this.#consumer.joinGroup().catch((error: unknown) => this.#end(error));
  }

  async commit(positions: readonly (readonly [partition: number, next: number])[]): Promise<void> {
    const { topic } = this.#options;
    await this.#consumer.commit({
      offsets: positions.map(([partition, next]) => ({
        topic,
        partition,
        offset: BigInt(next),
        leaderEpoch: UNKNOWN_EPOCH,
      })),
    });
  }

  async leave(ms: number): Promise<void> {
    this.#over = true;
    clearTimeout(this.#retry);
    await withTimeout(ms, this.#left(), () => new Error('timeout')).catch(() => {});
    abandon(this.#consumer, this.#connections);
    abandon(this.#fetcher, this.#connections);
    this.#fetchPool.close().catch(() => {});
  }

  async #left(): Promise<void> {
    await this.#consumer.leaveGroup(true);
  }

  #end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onEnd(withCause(error));
  }

  #listen(): void {
    const { topic, group: groupId, position, onHeartbeat, onJoined } = this.#options;
    for (const client of [this.#consumer, this.#fetcher]) client.on('error', (error: unknown) => this.#end(error));
    this.#consumer.on('consumer:heartbeat:end', () => {
      if (!this.#over) onHeartbeat();
    });
    this.#consumer.on('consumer:heartbeat:error', ({ error }) => {
      if (!this.#over) this.#context.log({ component: 'heartbeat', message: withCause(error).message, groupId });
    });
    this.#consumer.on('consumer:group:join', ({ assignments = [] }) => {
      if (this.#over) return;
      const assigned = assignments.find((one) => one.topic === topic)?.partitions ?? [];
      this.#next.clear();
      for (const partition of assigned) this.#next.set(partition, BigInt(position(partition)));
      onJoined(assigned);
      void this.#fetchFromIdle();
    });
  }

  /** Begins a fetch from each broker that leads partitions and has no fetch under way. */
  async #fetchFromIdle(): Promise<void> {
    const { topic } = this.#options;
    try {
      const metadata = await this.#fetcher.metadata({ topics: [topic] });
      if (this.#over) return;
      this.#rejoinIfGrown(metadata);
      for (const [broker, partitions] of this.#idlePartitions(metadata)) {
        if (!this.#busyBrokers.has(broker)) void this.#fetch(metadata, broker, partitions);
      }
      if (this.#busyBrokers.size === 0) this.#awaitLeader();
    } catch (error) {
      if (!isMove(error)) this.#end(error);
      else if (this.#busyBrokers.size === 0) this.#awaitLeader();
    }
  }

  /** No partition has a known leader, so no fetch begins the next ones. */
  #awaitLeader(): void {
    clearTimeout(this.#retry);
    if (this.#over) return;
    this.#fetcher.clearMetadata();
    this.#retry = setTimeout(() => void this.#fetchFromIdle(), RETRY_PAUSE_MS).unref();
  }

  /** The library does not notice new partitions. A new join assigns them. */
  #rejoinIfGrown({ topics }: ClusterMetadata): void {
    const count = topics.get(this.#options.topic)?.partitionsCount ?? 0;
    const isGrown = this.#partitionCount > 0 && count > this.#partitionCount;
    this.#partitionCount = count;
    if (!isGrown) return;
    this.#consumer.clearMetadata();
    this.#consumer.joinGroup({}).catch((error: unknown) => this.#end(error));
  }

  /** The assigned partitions without a fetch under way, for each leader. */
  #idlePartitions(metadata: ClusterMetadata): Map<number, number[]> {
    const found = new Map<number, number[]>();
    const known = metadata.topics.get(this.#options.topic)?.partitions ?? [];
    for (const partition of this.#next.keys()) {
      const leader = known[partition]?.leader ?? -1;
      if (this.#busyPartitions.has(partition) || !metadata.brokers.has(leader)) continue;
      found.set(leader, [...(found.get(leader) ?? []), partition]);
    }
    return found;
  }

  async #fetch(metadata: ClusterMetadata, broker: number, partitions: readonly number[]): Promise<void> {
    const { topic } = this.#options;
    const from = new Map(partitions.map((partition) => [partition, this.#next.get(partition) ?? 0n]));
    this.#busyBrokers.add(broker);
    for (const partition of partitions) this.#busyPartitions.add(partition);
    try {
      const requested = [...from].map(([partition, fetchOffset]) => ({
        partition,
        fetchOffset,
        partitionMaxBytes: BYTES_PER_PARTITION,
        currentLeaderEpoch: UNKNOWN_EPOCH,
        lastFetchedEpoch: UNKNOWN_EPOCH,
      }));
      const response = await this.#fetcher.fetch({
        node: broker,
        topics: [{ topicId: metadata.topics.get(topic)?.id ?? '', partitions: requested }],
        connectionPool: this.#fetchPool,
        // The next fetch from the same broker may begin to read further partitions.
        ...(performance.now() - this.#movedAt < MOVE_MS ? { maxWaitTime: MOVE_PAUSE_MS } : {}),
      });
      if (!this.#over) this.#take(response, from);
    } catch (error) {
      if (isMove(error)) {
        this.#movedAt = performance.now();
        this.#fetcher.clearMetadata();
        await delay(MOVE_PAUSE_MS);
      } else if (!this.#skippedTo(error)) this.#end(error);
    } finally {
      this.#busyBrokers.delete(broker);
      for (const partition of partitions) this.#busyPartitions.delete(partition);
    }
    if (!this.#over) void this.#fetchFromIdle();
  }

  #take(response: FetchResponse, from: ReadonlyMap<number, bigint>): void {
    for (const { partitions } of response.responses) {
      for (const { partitionIndex: partition, highWatermark, records } of partitions) {
        const start = from.get(partition);
        // After a new join, another fetch reads from the position.
        if (records == null || start === undefined || this.#next.get(partition) !== start) continue;
        const last = records.at(-1);
        if (last === undefined) continue;
        this.#next.set(partition, last.firstOffset + BigInt(last.lastOffsetDelta) + 1n);
        const messages = records.flatMap((batch) => messagesOf(batch, start));
        if (messages.length > 0) this.#options.onBatch({ partition, highWatermark: String(highWatermark), messages });
      }
    }
  }

  /**
   * True if partitions were emptied or created again, so that their positions do not exist. They
   * are read from their start then.
   */
  #skippedTo(error: unknown): boolean {
    const answers = answersIn(error);
    if (answers.length === 0 || answers.some((answer) => answer !== 'OFFSET_OUT_OF_RANGE')) return false;
    let moved = false;
    for (const inner of errorsIn(error)) {
      if (!('response' in inner)) continue;
      const { responses } = inner.response as FetchResponse;
      for (const { partitions } of responses) {
        for (const { partitionIndex, errorCode, logStartOffset } of partitions) {
          if (errorCode === 0 || !this.#next.has(partitionIndex)) continue;
          this.#next.set(partitionIndex, logStartOffset < 0n ? 0n : logStartOffset);
          moved = true;
        }
      }
    }
    return moved;
  }
}

/** True if the broker died or leads the partitions no more, so that others will lead them. */
function isMove(error: unknown): boolean {
  const { kind } = classify(error);
  if (kind === 'not-ready' || kind === 'connection') return true;
  return errorsIn(error).some(({ message }) => message.startsWith('Cannot find broker with node id'));
}

function messagesOf(batch: RecordsBatch, start: bigint): ConsumedMessage[] {
  if ((batch.attributes & CONTROL_BATCH) !== 0) return [];
  const unreadable = problemOf(batch);
  if (unreadable !== null) {
    const offset = String(batch.firstOffset + BigInt(batch.lastOffsetDelta));
    return [{ key: null, value: null, headers: {}, timestamp: 0, offset, unreadable }];
  }
  const messages: ConsumedMessage[] = [];
  for (const record of batch.records) {
    const offset = batch.firstOffset + BigInt(record.offsetDelta);
    // A compressed batch is delivered whole, also the records before the position.
    if (offset >= start) messages.push(messageOf(record, batch.firstTimestamp, offset));
  }
  return messages;
}

function messageOf(record: KafkaRecord, firstTimestamp: bigint, offset: bigint): ConsumedMessage {
  const headers: Record<string, Buffer> = {};
  for (const [key, value] of record.headers) {
    if (key !== null && value !== null) headers[String(key)] ??= value;
  }
  return {
    key: record.key,
    value: record.value,
    headers,
    timestamp: Number(firstTimestamp + record.timestampDelta),
    offset: String(offset),
  };
}
