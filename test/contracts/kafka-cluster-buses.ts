import { message } from '../../dev/events.ts';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import type { RunningKafkaCluster } from '../../dev/services/kafka-cluster.ts';
import { Kafka } from '../../dev/services/kafkajs.ts';
import { type KafkaClient, loadDriver } from '../../src/adapters/kafka/load-driver.ts';
import { type BusTiming, KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { DEFAULT_TOPICS, type NamePerStream } from '../../src/adapters/kafka/topics.ts';
import { Heard } from '../support/heard.ts';

export const KAFKA_CLIENTS: readonly KafkaClient[] = ['kafkajs', 'platformatic'];

const TIMING = { session: 6_000, heartbeat: 500, silence: 20_000, commit: 500 };
const ROOMS = 12;

/** A running bus and the events that it heard. */
export interface ClusterBus {
  readonly bus: KafkaMessageBus;
  readonly heard: Heard;
}

/** Buses of one cluster that a test closes together. */
export class ClusterBuses {
  readonly #cluster: RunningKafkaCluster;
  readonly #timing: Partial<BusTiming>;
  readonly #opened: KafkaMessageBus[] = [];

  constructor(cluster: RunningKafkaCluster, timing: Partial<BusTiming> = {}) {
    this.#cluster = cluster;
    this.#timing = { ...TIMING, ...timing };
  }

  /** Opens and starts a bus. `prefix` is that of its topics. */
  async start(
    client: KafkaClient,
    serverId: string,
    prefix: string,
    brokers: readonly string[] = this.#cluster.brokers,
  ): Promise<ClusterBus> {
    const bus = new KafkaMessageBus({
      brokers,
      serverId,
      telemetry: new RecordedTelemetry(),
      topics: topicsOf(prefix),
      timing: this.#timing,
      openDriver: await loadDriver(client),
    });
    this.#opened.push(bus);
    const heard = new Heard();
    await bus.start(heard.handler);
    return { bus, heard };
  }

  /** Starts a bus that writes and one that listens, for each client, with topics of their own. */
  pairs(name: string, brokers: readonly string[] = this.#cluster.brokers): Promise<Conversation[]> {
    return Promise.all(
      KAFKA_CLIENTS.map(async (client) => {
        const prefix = `${name}-${client}`;
        const starting = ['a', 'b'].map((id) => this.start(client, `${prefix}-${id}`, prefix, brokers));
        const [writer, listener] = await Promise.all(starting);
        if (writer === undefined || listener === undefined) throw new Error('two buses were asked for');
        return new Conversation(client, prefix, writer, listener);
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((bus) => bus.close()));
  }
}

/** One bus publishes numbered messages, another listens. Both use the same client library. */
export class Conversation {
  readonly client: KafkaClient;
  readonly prefix: string;
  readonly writer: ClusterBus;
  readonly listener: ClusterBus;
  readonly acknowledged: number[] = [];
  #seq = 0;

  constructor(client: KafkaClient, prefix: string, writer: ClusterBus, listener: ClusterBus) {
    this.client = client;
    this.prefix = prefix;
    this.writer = writer;
    this.listener = listener;
  }

  get topics(): NamePerStream {
    return topicsOf(this.prefix);
  }

  /** Publishes the next message, each to another of the rooms. */
  async publish(room = 1 + (this.#seq % ROOMS)): Promise<void> {
    this.#seq += 1;
    const seq = this.#seq;
    await this.writer.bus.publish([{ event: message(`r-${room}`, seq) }]);
    this.acknowledged.push(seq);
  }

  /**
   * Publishes to all rooms. Resolves with the different reasons of refusals, none if all are
   * written.
   */
  async publishToAll(): Promise<string[]> {
    const results = await Promise.allSettled(Array.from({ length: ROOMS }, () => this.publish()));
    return [...new Set(results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])))];
  }

  /** Resolves when the listener has heard all acknowledged messages. */
  async heardAll(ms: number): Promise<void> {
    await this.listener.heard.until((events) => {
      const seqs = seqsOf(events);
      return this.acknowledged.every((seq) => seqs.has(seq));
    }, ms);
  }

  health(): unknown {
    return [this.writer.bus.health(), this.listener.bus.health()];
  }
}

export const HEALTHY: unknown = [{ ready: true }, { ready: true }];

/** The names of the topics with this prefix. */
export function topicsOf(prefix: string): NamePerStream {
  const names = Object.entries(DEFAULT_TOPICS).map(([stream, name]) => [stream, `${prefix}-${name}`]);
  return { ...DEFAULT_TOPICS, ...Object.fromEntries(names) };
}

/** Asks a cluster with an administrator's client. */
export async function asAdmin<T>(
  { clientConfig }: Pick<RunningKafkaCluster, 'clientConfig'>,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const admin = new Kafka(clientConfig).admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

function seqsOf(events: readonly { readonly kind: string }[]): Set<unknown> {
  return new Set(events.map((event) => ('seq' in event ? event.seq : null)));
}
