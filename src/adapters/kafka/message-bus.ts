import type { BusHealth, MessageBus, OutgoingRecord, RecordHandler } from '../../application/ports/message-bus.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { type EncodedRecord, encodeRecord } from '../records/record-codec.ts';
import { RECORD_STREAMS, type RecordStream } from '../records/record-stream.ts';
import { skipReport } from '../records/skip-report.ts';
import { isRefusedForGood } from '../support/refused-connection.ts';
import type { TlsOptions } from '../support/tls.ts';
import { withTimeout } from '../support/with-timeout.ts';
import { describedFailure } from './described-failure.ts';
import {
  type Compression,
  type ConsumerTiming,
  type KafkaAdmin,
  type KafkaDriver,
  NoAnswerError,
  type Positions,
} from './driver.ts';
import { ensureTopics } from './ensure-topics.ts';
import type { OpenDriver } from './load-driver.ts';
import { withRight } from './missing-right.ts';
import { RecordSender } from './record-sender.ts';
import { retryWhileNotReady } from './retry-while-not-ready.ts';
import type { SaslOptions } from './sasl.ts';
import { SlowStart } from './slow-start.ts';
import { TopicConsumer } from './topic-consumer.ts';
import { DEFAULT_GROUPS, DEFAULT_TOPICS, type NamePerStream } from './topics.ts';

export interface KafkaBusOptions {
  /** `['host:port', ...]` */
  readonly brokers: readonly string[];
  /** Written into every record, and the suffix of every group name. */
  readonly serverId: string;
  readonly telemetry: Telemetry;
  readonly topics?: NamePerStream;
  readonly groups?: NamePerStream;
  /** Number of partitions of a topic that the bus creates; 6 if not given. */
  readonly partitions?: number;
  readonly timing?: Partial<BusTiming>;
  /** Without it, the connections have no TLS. */
  readonly tls?: TlsOptions | null;
  readonly sasl?: SaslOptions | null;
  /** `none` if not given. */
  readonly compression?: Compression;
  /**
   * Called if Kafka was away at the start and refuses this server later, for example because
   * another live server uses its id. The bus is closed then.
   */
  readonly onRefused?: (error: unknown) => void;
  /** How records are written; {@link encodeRecord} if not given. */
  readonly encode?: (record: OutgoingRecord, server: string) => EncodedRecord;
  /** The driver of a client library; see `loadDriver`. */
  readonly openDriver: OpenDriver;
}

/** Times of the bus, in milliseconds. */
export interface BusTiming extends ConsumerTiming {
  /** How long a start asks a Kafka that does not answer or is not ready. */
  readonly prepare: number;
  /** Time between two looks at the leaders, the partitions and the lags. */
  readonly lagCheck: number;
}

/** Values of the consumer of one topic. */
export interface ConsumerFigures {
  readonly topic: string;
  /** Records that this server has not read yet. */
  readonly lag: number;
  /** Seconds since the last heartbeat. */
  readonly heartbeatAge: number;
  /** Number of consumers that were replaced. */
  readonly restarts: number;
}

const TIMING: BusTiming = {
  session: 10_000,
  heartbeat: 2_000,
  silence: 30_000,
  commit: 3_000,
  fetchWait: 500,
  prepare: 15_000,
  lagCheck: 15_000,
};
const JOIN_MS = 30_000;
const JOIN_PAUSE_MS = 1_000;
const FLUSH_MS = 5_000;
const FORGET_MS = 5_000;

type Stage = 'new' | 'starting' | 'running' | 'closed';

/**
 * A bus of six Kafka topics. Each server reads each topic as the only member of a group of its own,
 * so that it receives every record. ADR 0004 gives the reasons.
 */
export class KafkaMessageBus implements MessageBus {
  readonly #options: KafkaBusOptions;
  readonly #topics: NamePerStream;
  readonly #groups: ReadonlyMap<RecordStream, string>;
  readonly #timing: BusTiming;
  readonly #driver: KafkaDriver;
  readonly #sender: RecordSender;
  #consumers: TopicConsumer[] = [];
  #stage: Stage = 'new';
  /** The reason for which the bus has not joined yet, if Kafka was away at the start. */
  #absence: string | null = null;
  #hasJoined = false;
  #lagTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | null = null;
  #forgotten: Promise<void> | null = null;

  constructor(options: KafkaBusOptions) {
    const { brokers, serverId, telemetry, topics = DEFAULT_TOPICS, groups = DEFAULT_GROUPS } = options;
    this.#options = options;
    this.#topics = topics;
    this.#groups = new Map(RECORD_STREAMS.map((stream) => [stream, `${groups[stream]}-${serverId}`]));
    if (new Set(Object.values(topics)).size < RECORD_STREAMS.length)
      throw new Error(`the six Kafka topics need six different names, not ${Object.values(topics).join(', ')}`);
    if (new Set(this.#groups.values()).size < RECORD_STREAMS.length)
      throw new Error(`the six Kafka groups need six different names, not ${[...this.#groups.values()].join(', ')}`);
    this.#timing = { ...TIMING, ...options.timing };
    const { tls = null, sasl = null, compression = 'none', openDriver } = options;
    this.#driver = openDriver({ brokers, clientId: `chat-${serverId}`, telemetry, tls, sasl, compression });
    this.#sender = new RecordSender({ driver: this.#driver, topics, telemetry });
  }

  async start(handler: RecordHandler): Promise<void> {
    if (this.#stage !== 'new') throw new Error(`the message bus cannot be started again: it is ${this.#stage}`);
    this.#stage = 'starting';
    const slow = new SlowStart(this.#options.telemetry);
    try {
      await this.#join(handler, slow).finally(() => slow.end());
    } catch (error) {
      if (this.#isClosed || !this.#isAway(error)) {
        await this.close();
        throw this.#described(error);
      }
      this.#absence = textOf(this.#described(error));
      this.#options.telemetry.log('warn', 'Kafka is away; the server joins later', { error: this.#absence });
      void this.#joinLater(handler);
    }
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#stage !== 'running') throw new Error(this.#absence ?? 'the message bus is not running');
    const { serverId, encode = encodeRecord } = this.#options;
    await this.#sender.send(records.map((record) => encode(record, serverId)));
  }

  health(): BusHealth {
    if (this.#stage !== 'running')
      return { ready: false, reason: this.#absence ?? `the message bus is ${this.#stage}` };
    for (const { topic, problem } of this.#consumers) {
      if (problem !== null) return { ready: false, reason: `${topic}: ${problem}` };
    }
    const { failure } = this.#sender;
    return failure === null ? { ready: true } : { ready: false, reason: `writing: ${failure}` };
  }

  /** The present values of each consumer. */
  figures(): readonly ConsumerFigures[] {
    return this.#consumers.map(({ topic, lag, heartbeatAge, restarts }) => ({ topic, lag, heartbeatAge, restarts }));
  }

  async close({ forget = false }: { readonly forget?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#leave();
    await this.#closing;
    // The groups of a server that never joined may belong to another live server.
    if (!forget || !this.#hasJoined) return;
    this.#forgotten ??= this.#forget();
    await this.#forgotten;
  }

  /** Replaces all consumers. The new ones continue at the same positions. */
  restartConsumers(reason: string): void {
    for (const consumer of this.#consumers) consumer.restart(reason);
  }

  get #isClosed(): boolean {
    return this.#stage === 'closed';
  }

  async #join(handler: RecordHandler, slow?: SlowStart): Promise<void> {
    try {
      const from = await this.#prepare(slow);
      if (this.#isClosed) throw closedWhileStarting();
      slow?.waitsFor('the groups to let this server join');
      await this.#read(handler, from);
      await this.#refuseSharedGroups();
    } catch (error) {
      await Promise.all(this.#consumers.splice(0).map((consumer) => consumer.close()));
      throw error;
    }
    if (this.#isClosed) throw closedWhileStarting();
    this.#stage = 'running';
    this.#hasJoined = true;
    this.#absence = null;
    this.#lagTimer = setInterval(() => void this.#checkLag(), this.#timing.lagCheck).unref();
  }

  /** Tries to join until Kafka is there, the bus is closed, or Kafka refuses this server. */
  async #joinLater(handler: RecordHandler): Promise<void> {
    const { telemetry, onRefused } = this.#options;
    while (!this.#isClosed) {
      await new Promise((resolve) => setTimeout(resolve, JOIN_PAUSE_MS).unref());
      if (this.#isClosed) return;
      try {
        await this.#join(handler);
        telemetry.log('info', 'joined Kafka');
        return;
      } catch (error) {
        if (this.#isClosed) return;
        const described = this.#described(error);
        this.#absence = textOf(described);
        if (this.#isAway(error)) continue;
        telemetry.log('error', 'Kafka refuses this server', { error: described });
        onRefused?.(described);
        await this.close();
      }
    }
  }

  /** True if the same start may succeed later. */
  #isAway(error: unknown): boolean {
    if (isRefusedForGood(error)) return false;
    const { kind } = this.#driver.classify(error);
    return kind === 'connection' || kind === 'not-ready' || error instanceof NoAnswerError;
  }

  async #leave(): Promise<void> {
    this.#stage = 'closed';
    this.#absence = null;
    clearInterval(this.#lagTimer);
    await Promise.all([...this.#consumers.map((consumer) => consumer.close()), this.#sender.close(FLUSH_MS)]);
  }

  readonly #classify = (error: unknown) => this.#driver.classify(error);

  #described(error: unknown): unknown {
    return describedFailure(this.#driver, this.#options.brokers, error);
  }

  /**
   * Creates missing topics, waits until the groups are empty, and returns the offsets at which
   * reading begins.
   */
  async #prepare(slow?: SlowStart): Promise<ReadonlyMap<RecordStream, Positions>> {
    const { partitions = 6 } = this.#options;
    const timeout = this.#timing.session + this.#timing.prepare;
    const prepare = async (admin: KafkaAdmin) => {
      slow?.waitsFor('the topics and groups');
      const topics = Object.values(this.#topics);
      const connecting = ensureTopics(admin, {
        topics,
        partitions,
        listedBrokers: this.#options.brokers.length,
        classify: this.#classify,
        onWait: (topic) => slow?.waitsFor(`a leader for each partition of ${topic}`),
      }).then((leaders) => {
        slow?.waitsFor('the topics and groups');
        return this.#sender.connect(leaders);
      });
      await Promise.all([connecting, this.#awaitEmptyGroups(() => this.#membersOf(admin))]);
      slow?.waitsFor('the newest offsets');
      const found = RECORD_STREAMS.map(
        async (stream): Promise<[RecordStream, Positions]> => [stream, await admin.newestOffsets(this.#topics[stream])],
      );
      return new Map(await Promise.all(found));
    };
    return retryWhileNotReady(
      this.#timing.prepare,
      this.#classify,
      () => this.#driver.withAdmin(timeout, 'preparing topics and groups', prepare),
      (error) => slow?.waitsFor(`the brokers, which failed: ${textOf(this.#described(error))}`),
    );
  }

  /** A killed server stays a member until its session times out. A live one stays longer. */
  async #awaitEmptyGroups(members: () => Promise<ReadonlyMap<string, number>>): Promise<void> {
    const { telemetry, serverId } = this.#options;
    const until = performance.now() + this.#timing.session + this.#timing.heartbeat;
    for (let logged = false; ; logged = true) {
      const [taken] = (await members()).keys();
      if (taken === undefined) return;
      if (performance.now() > until) throw this.#idIsTaken(taken);
      if (!logged)
        telemetry.log('info', 'waiting until an earlier run of this server times out', { serverId, group: taken });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async #read(handler: RecordHandler, from: ReadonlyMap<RecordStream, Positions>): Promise<void> {
    const { telemetry } = this.#options;
    const skipped = skipReport(telemetry);
    this.#consumers = [...this.#groups].map(
      ([stream, group]) =>
        new TopicConsumer({
          driver: this.#driver,
          telemetry,
          topic: this.#topics[stream],
          group,
          from: from.get(stream) ?? new Map(),
          source: {
            stream,
            skipped: ({ offset }, error) => skipped({ topic: this.#topics[stream], offset }, error),
          },
          handler: (record) => {
            if (this.#stage !== 'closed') handler(record);
          },
          timing: this.#timing,
        }),
    );
    const joined = Promise.all(this.#consumers.map((consumer) => consumer.start()));
    await withTimeout(JOIN_MS, joined, () => new NoAnswerError(`joining the groups took longer than ${JOIN_MS} ms`));
  }

  /**
   * Two servers that start at the same time both find the groups empty. After joining, each sees
   * the other.
   */
  async #refuseSharedGroups(): Promise<void> {
    const look = (admin: KafkaAdmin) => this.#membersOf(admin);
    const { prepare } = this.#timing;
    const members = await retryWhileNotReady(prepare, this.#classify, () =>
      this.#driver.withAdmin(prepare, 'looking for a server of the same id', look),
    );
    for (const [group, count] of members) if (count > 1) throw this.#idIsTaken(group);
  }

  #membersOf(admin: KafkaAdmin): Promise<ReadonlyMap<string, number>> {
    const right = { operation: 'Describe', resource: 'group', names: [...this.#groups.values()] } as const;
    return withRight(this.#classify, right, (groups) => admin.membersOf(groups));
  }

  #idIsTaken(group: string): Error {
    const { serverId } = this.#options;
    return new Error(
      `another live server uses the server id ${serverId} (the consumer group ${group} has a member); each server needs its own id`,
    );
  }

  async #checkLag(): Promise<void> {
    try {
      await this.#driver.withAdmin(this.#timing.lagCheck / 2, 'reading the lags', (admin) =>
        Promise.all([
          admin.leaders(Object.values(this.#topics)).then((leaders) => this.#sender.learn(leaders)),
          ...this.#consumers.map(async (consumer) => consumer.checkLag(await admin.newestOffsets(consumer.topic))),
        ]),
      );
    } catch {
      // While Kafka is away, the missing heartbeats of the consumers show it.
    }
  }

  async #forget(): Promise<void> {
    const right = { operation: 'Delete', resource: 'group', names: [...this.#groups.values()] } as const;
    try {
      await this.#driver.withAdmin(FORGET_MS, 'removing the groups', (admin) =>
        withRight(this.#classify, right, (groups) => admin.deleteGroups(groups)),
      );
    } catch (error) {
      this.#options.telemetry.log('warn', 'the Kafka groups were not removed', { error });
    }
  }
}

function closedWhileStarting(): Error {
  return new Error('the message bus was closed while it started');
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
