import type {
  KafkaAdmin,
  KafkaConsumer,
  KafkaDriver,
  KafkaProblem,
  KafkaProducer,
  Leaders,
  OutgoingMessage,
} from '../../src/adapters/kafka/driver.ts';

/** A record as it stands in a partition. */
export interface WrittenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: string;
}

/** Brokers 1, 2, 3, ... that only take records. The brokers in `dead` refuse connections. */
export class FakeKafka implements KafkaDriver {
  readonly written: WrittenRecord[] = [];
  readonly dead = new Set<number>();
  /** Brokers that accept requests and do not answer. */
  readonly frozen = new Set<number>();
  /** Requests with more bytes of values are refused. */
  maxBytes = Number.POSITIVE_INFINITY;
  /** Topics that the user may not write to. The other records of a request are written. */
  readonly forbidden = new Set<string>();
  /** The broker of each request, also of a refused one. */
  readonly requests: number[] = [];
  #leaders: Map<string, number[]>;

  constructor(leaders: Leaders) {
    this.#leaders = copyOf(leaders);
  }

  get leaders(): Leaders {
    return this.#leaders;
  }

  move(topic: string, partition: number, leader: number): void {
    this.#leaders = copyOf(this.#leaders);
    this.#leaders.get(topic)?.splice(partition, 1, leader);
  }

  async withAdmin<T>(_ms: number, _task: string, work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    return work({
      leaders: async () => this.#leaders,
      listTopics: async () => [...this.#leaders.keys()],
      countBrokers: unused,
      createTopics: unused,
      newestOffsets: unused,
      membersOf: async () => new Map(),
      deleteGroups: unused,
    });
  }

  openProducer(): KafkaProducer {
    // As in the client libraries, a producer learns of new leaders only after a while.
    const leaders = this.#leaders;
    const { promise: abandoned, reject } = Promise.withResolvers<never>();
    abandoned.catch(() => {});
    return {
      connect: async () => {},
      send: (messages) => Promise.race([this.#send(messages, leaders), abandoned]),
      close: async () => {},
      abandon: () => reject(new Error('abandoned')),
    };
  }

  openConsumer(): KafkaConsumer {
    throw new Error('this Kafka only takes records');
  }

  classify(error: unknown): KafkaProblem {
    if (error instanceof Error && error.message === 'too large') return { kind: 'too-large' };
    if (error instanceof Error && error.message === 'forbidden') return { kind: 'unauthorized', resource: 'topic' };
    return { kind: 'other' };
  }

  async #send(messagesByTopic: ReadonlyMap<string, readonly OutgoingMessage[]>, leaders: Leaders): Promise<void> {
    const records = [...messagesByTopic].flatMap(([topic, messages]) =>
      messages.map(({ partition, key, value }) => ({ topic, partition, key, value })),
    );
    const brokers = new Set(records.map(({ topic, partition }) => leaders.get(topic)?.[partition] ?? 0));
    this.requests.push(...brokers);
    await Promise.resolve();
    for (const broker of brokers) if (this.dead.has(broker)) throw new Error(`broker ${broker} is dead`);
    for (const broker of brokers) if (this.frozen.has(broker)) await new Promise(() => {});
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
    if (bytes > this.maxBytes) throw new Error('too large');
    this.written.push(...records.filter(({ topic }) => !this.forbidden.has(topic)));
    if (records.some(({ topic }) => this.forbidden.has(topic))) throw new Error('forbidden');
  }
}

function copyOf(leaders: Leaders): Map<string, number[]> {
  return new Map([...leaders].map(([topic, brokers]) => [topic, [...brokers]]));
}

async function unused(): Promise<never> {
  throw new Error('this Kafka only takes records');
}
