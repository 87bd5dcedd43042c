import type { Admin } from 'kafkajs';
import type { BusHealth, MessageBus, OutgoingRecord, RecordHandler } from '../../application/ports/message-bus.ts';
import type { Telemetry } from '../../application/ports/telemetry.ts';
import { encodeRecord } from '../records/record-codec.ts';
import { RECORD_STREAMS, type RecordStream } from '../records/record-stream.ts';
import { BrokerAdmin, ensureTopics, membersOf, newestOffsets, type Positions } from './broker-admin.ts';
import { type ClientOptions, within } from './client.ts';
import { RecordSender } from './record-sender.ts';
import { retryWhileNotReady } from './retry-while-not-ready.ts';
import { skipReport } from './skip-report.ts';
import { type ConsumerTiming, TopicConsumer } from './topic-consumer.ts';
import { DEFAULT_GROUPS, DEFAULT_TOPICS, type NamePerStream } from './topics.ts';

export interface KafkaBusOptions {
  /** `['host:port', ...]` */
  readonly brokers: readonly string[];
  /** Stands in every record, and behind every group's name. */
  readonly serverId: string;
  readonly telemetry: Telemetry;
  readonly topics?: NamePerStream;
  readonly groups?: NamePerStream;
  /** Of topics that have to be made. */
  readonly partitions?: number;
  readonly timing?: Partial<ConsumerTiming>;
}

const TIMING: ConsumerTiming = { session: 10_000, heartbeat: 2_000, silence: 30_000, commit: 3_000, fetchWait: 500 };
const PREPARE_MS = 15_000;
const JOIN_MS = 30_000;
const LAG_EVERY_MS = 15_000;
const FLUSH_MS = 5_000;
const FORGET_MS = 5_000;

type Stage = 'new' | 'starting' | 'running' | 'closed';

/** The bus over six topics, each read by a group that belongs to this server alone, so that every server hears everything. */
export class KafkaMessageBus implements MessageBus {
  readonly #options: KafkaBusOptions;
  readonly #topics: NamePerStream;
  readonly #groups: ReadonlyMap<RecordStream, string>;
  readonly #timing: ConsumerTiming;
  readonly #client: ClientOptions;
  readonly #admin: BrokerAdmin;
  readonly #sender: RecordSender;
  #consumers: TopicConsumer[] = [];
  #stage: Stage = 'new';
  #lagTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | null = null;
  #forgotten: Promise<void> | null = null;

  constructor(options: KafkaBusOptions) {
    const { brokers, serverId, telemetry, topics = DEFAULT_TOPICS, groups = DEFAULT_GROUPS } = options;
    this.#options = options;
    this.#topics = topics;
    this.#groups = new Map(RECORD_STREAMS.map((kind) => [kind, `${groups[kind]}-${serverId}`]));
    if (new Set(Object.values(topics)).size < RECORD_STREAMS.length) throw new Error('the six topics need six names');
    if (new Set(this.#groups.values()).size < RECORD_STREAMS.length) throw new Error('the six groups need six names');
    this.#timing = { ...TIMING, ...options.timing };
    this.#client = { brokers, clientId: `chat-${serverId}`, telemetry, requestTimeout: 10_000, retries: 5 };
    this.#admin = new BrokerAdmin(this.#client);
    this.#sender = new RecordSender({ ...this.#client, retries: 0 }, topics);
  }

  async start(handler: RecordHandler): Promise<void> {
    if (this.#stage !== 'new') throw new Error('a message bus is started once');
    this.#stage = 'starting';
    try {
      const from = await this.#prepare();
      await this.#read(handler, from);
      await this.#refuseDoubles();
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#closing !== null) throw new Error('the message bus was closed while it started');
    this.#stage = 'running';
    this.#lagTimer = setInterval(() => void this.#checkLag(), LAG_EVERY_MS).unref();
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#stage !== 'running') throw new Error('the message bus is not running');
    await this.#sender.send(records.map((record) => encodeRecord(record, this.#options.serverId)));
  }

  health(): BusHealth {
    if (this.#stage !== 'running') return { ready: false, reason: `the message bus is ${this.#stage}` };
    for (const { topic, trouble } of this.#consumers) {
      if (trouble !== null) return { ready: false, reason: `${topic}: ${trouble}` };
    }
    const { failure } = this.#sender;
    return failure === null ? { ready: true } : { ready: false, reason: `writing: ${failure}` };
  }

  async close({ forget = false }: { readonly forget?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#leave();
    await this.#closing;
    if (!forget) return;
    this.#forgotten ??= this.#forget();
    await this.#forgotten;
  }

  /** Replaces all consumers by new ones, which go on where these were. For people who see something that the watch does not. */
  restartConsumers(reason: string): void {
    for (const consumer of this.#consumers) consumer.restart(reason);
  }

  async #leave(): Promise<void> {
    this.#stage = 'closed';
    clearInterval(this.#lagTimer);
    await Promise.all([...this.#consumers.map((consumer) => consumer.close()), this.#sender.close(FLUSH_MS)]);
  }

  /** Topics, nobody else in our groups, and the offsets from which on we read. */
  async #prepare(): Promise<ReadonlyMap<RecordStream, Positions>> {
    const { partitions = 6 } = this.#options;
    const patience = this.#timing.session + PREPARE_MS;
    const prepare = async (admin: Admin) => {
      await Promise.all([
        ensureTopics(admin, Object.values(this.#topics), partitions),
        this.#awaitEmptyGroups(() => membersOf(admin, [...this.#groups.values()])),
        this.#sender.connect(),
      ]);
      const found = RECORD_STREAMS.map(
        async (kind): Promise<[RecordStream, Positions]> => [kind, await newestOffsets(admin, this.#topics[kind])],
      );
      return new Map(await Promise.all(found));
    };
    return retryWhileNotReady(PREPARE_MS, () => this.#admin.run(patience, 'preparing topics and groups', prepare));
  }

  /** A server that was killed stays a member until its session has timed out; one that lives stays longer. */
  async #awaitEmptyGroups(members: () => Promise<ReadonlyMap<string, number>>): Promise<void> {
    const { telemetry, serverId } = this.#options;
    const until = Date.now() + this.#timing.session + this.#timing.heartbeat;
    for (let told = false; ; told = true) {
      const [taken] = (await members()).keys();
      if (taken === undefined) return;
      if (Date.now() > until) throw this.#doubleId(taken);
      if (!told)
        telemetry.log('info', 'waiting for an earlier life of this server to time out', { serverId, group: taken });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async #read(handler: RecordHandler, from: ReadonlyMap<RecordStream, Positions>): Promise<void> {
    const { telemetry } = this.#options;
    const skipped = skipReport(telemetry);
    this.#consumers = [...this.#groups].map(
      ([kind, group]) =>
        new TopicConsumer({
          client: this.#client,
          topic: this.#topics[kind],
          group,
          from: from.get(kind) ?? new Map(),
          source: { stream: kind, skipped: (message, reason) => skipped(this.#topics[kind], message, reason) },
          handler: (record) => {
            if (this.#stage !== 'closed') handler(record);
          },
          timing: this.#timing,
        }),
    );
    await within(JOIN_MS, 'joining the groups', Promise.all(this.#consumers.map((consumer) => consumer.start())));
  }

  /** Two servers that start at once both find the groups empty; afterwards each sees the other. */
  async #refuseDoubles(): Promise<void> {
    const groups = [...this.#groups.values()];
    const look = (admin: Admin) => membersOf(admin, groups);
    const members = await retryWhileNotReady(PREPARE_MS, () =>
      this.#admin.run(PREPARE_MS, 'looking for doubles', look),
    );
    for (const [group, count] of members) if (count > 1) throw this.#doubleId(group);
  }

  #doubleId(group: string): Error {
    const { serverId } = this.#options;
    return new Error(`another live server uses the server id ${serverId}: the consumer group ${group} has a member`);
  }

  async #checkLag(): Promise<void> {
    try {
      await this.#admin.run(LAG_EVERY_MS / 2, 'looking at lags', (admin) =>
        Promise.all(
          this.#consumers.map(async (consumer) => consumer.checkLag(await newestOffsets(admin, consumer.topic))),
        ),
      );
    } catch {
      // While Kafka is away the consumers' own silence tells it.
    }
  }

  async #forget(): Promise<void> {
    const groups = [...this.#groups.values()];
    try {
      await this.#admin.run(FORGET_MS, 'removing the groups', (admin) => admin.deleteGroups(groups));
    } catch (error) {
      this.#options.telemetry.log('warn', 'kafka groups could not be removed', { error: String(error) });
    }
  }
}
