import type { Telemetry } from '../../application/ports/telemetry.ts';
import type { RawRecord } from '../records/received-record.ts';
import type { TlsOptions } from '../support/tls.ts';
import type { SaslOptions } from './sasl.ts';

/** For each partition number, the offset that the next record will get. */
export type Positions = ReadonlyMap<number, number>;

/** For each topic, the id of the broker that leads each partition, or NO_LEADER. */
export type Leaders = ReadonlyMap<string, readonly number[]>;

export const NO_LEADER = -1;

/** The compression of the records that this server writes. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** The settings of every connection of this server to Kafka. */
export interface ClientOptions {
  /** `host:port`; an IPv6 address is in brackets. Any one of them suffices. */
  readonly brokers: readonly string[];
  /** Shown in the broker's logs. */
  readonly clientId: string;
  readonly telemetry: Telemetry;
  /** Null for connections without TLS. */
  readonly tls: TlsOptions | null;
  readonly sasl: SaslOptions | null;
  readonly compression: Compression;
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

/**
 * The meaning of an error:
 *
 * - `not-ready`: a broker answered, and the same request may succeed in a moment
 * - `too-large`: the request or one of its records is too large for the broker
 * - `connection`: a broker cannot be reached; `reason` is human-readable
 * - `unauthorized`: the user has no right to do this with the topic or group
 * - `other`: every other error
 */
export type KafkaProblem =
  | { readonly kind: 'not-ready' | 'too-large' | 'other' }
  | { readonly kind: 'connection'; readonly reason: string }
  | { readonly kind: 'unauthorized'; readonly resource: 'topic' | 'group' };

/** The cluster did not answer in time, so the same request may succeed later. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** A broker does not know a new topic yet, or a topic has no leader yet. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
}

/** One client library of Kafka behind the bus. */
export interface KafkaDriver {
  /**
   * Opens a connection for `work` and closes it afterwards. A permanent connection would have to be
   * monitored.
   * @throws NoAnswerError(`{task} took longer than {ms} ms`)
   */
  withAdmin<T>(ms: number, task: string, work: (admin: KafkaAdmin) => Promise<T>): Promise<T>;
  openProducer(): KafkaProducer;
  /** Begins to join the group at once. */
  openConsumer(options: KafkaConsumerOptions): KafkaConsumer;
  classify(error: unknown): KafkaProblem;
}

/** Requests to the cluster that are not about records. */
export interface KafkaAdmin {
  listTopics(): Promise<readonly string[]>;
  /** The number of brokers that are up. */
  countBrokers(): Promise<number>;
  /**
   * Creates topics. Those that exist, because another server was faster, stay as they are. Resolves
   * with false if there are fewer brokers than replicas.
   */
  createTopics(
    topics: readonly string[],
    shape: { readonly partitions: number; readonly replicas: number },
  ): Promise<boolean>;
  /** Asks the cluster at each call. May reject for unknown topics. */
  leaders(topics: readonly string[]): Promise<Leaders>;
  /** @throws NotReadyError if the topic has no partitions yet */
  newestOffsets(topic: string): Promise<Positions>;
  /** The number of members of each group. Groups without members are left out. */
  membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, number>>;
  deleteGroups(groups: readonly string[]): Promise<void>;
}

export interface OutgoingMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly partition: number;
}

/** A producer from its opening to its first failure. It repeats nothing by itself. */
export interface KafkaProducer {
  /** Connects before the first `send`. Can be called again. */
  connect(): Promise<void>;
  /** Resolves when all in-sync replicas have the messages. */
  send(messagesByTopic: ReadonlyMap<string, readonly OutgoingMessage[]>): Promise<void>;
  /** Disconnects within about a second. Ignores errors. */
  close(): Promise<void>;
  /** Destroys all connections at once. Nothing is sent after the call. */
  abandon(): void;
}

/** The parts of a consumed message that the bus reads. */
export interface ConsumedMessage extends RawRecord {
  /** Position in the partition, as decimal text. */
  readonly offset: string;
  /**
   * Set if this message stands for a whole batch of records that cannot be read: the human-readable
   * reason. The offset is that of the last record of the batch.
   */
  readonly unreadable?: string;
}

export interface FetchedBatch {
  readonly partition: number;
  /** Offset of the partition's next record, as decimal text. */
  readonly highWatermark: string;
  readonly messages: readonly ConsumedMessage[];
}

export interface KafkaConsumerOptions {
  readonly topic: string;
  readonly group: string;
  /** The offset at which a partition is read after the consumer joined. */
  readonly position: (partition: number) => number;
  readonly timing: ConsumerTiming;
  /** The records of one partition, in order. Nothing is called after `onEnd` or `leave`. */
  readonly onBatch: (batch: FetchedBatch) => void;
  readonly onHeartbeat: () => void;
  /** The consumer has joined, or joined again, and reads these partitions. */
  readonly onJoined: (assigned: readonly number[]) => void;
  /** The consumer failed and reads no more. Called at most once; `leave` must follow. */
  readonly onEnd: (error: Error) => void;
}

/** One consumer of one topic, from its start to its first failure. */
export interface KafkaConsumer {
  /** Stores positions in the group. */
  commit(positions: readonly (readonly [partition: number, next: number])[]): Promise<void>;
  /**
   * Leaves the group, waits at most `ms` for it, and then destroys all connections. A member that
   * leaves lets the next one join at once. Ignores errors.
   */
  leave(ms: number): Promise<void>;
}
