import type { Admin, ITopicMetadata } from 'kafkajs';
import type { KafkaAdmin, Positions } from '../driver.ts';
import { NotReadyError } from './errors.ts';

const MAX_REPLICAS = 3;
const LEADER_MS = 10_000;
const LEADER_PAUSE_MS = 100;

export class KafkaJsAdmin implements KafkaAdmin {
  readonly #admin: Admin;
  readonly #listed: number;

  /** @param listed the number of brokers that the operator listed */
  constructor(admin: Admin, listed: number) {
    this.#admin = admin;
    this.#listed = listed;
  }

  async ensureTopics(topics: readonly string[], partitions: number): Promise<void> {
    const existing = new Set(await this.#admin.listTopics());
    const missing = topics.filter((topic) => !existing.has(topic));
    if (missing.length > 0) {
      const { brokers } = await this.#admin.describeCluster();
      // A broker that is down is not described, but Kafka can plan a replica on it. A topic with a
      // replica too few would stop at the next broker's death. If the operator listed one broker by
      // several names, only the described ones exist.
      const wanted = Math.min(MAX_REPLICAS, Math.max(brokers.length, this.#listed));
      if (!(await this.#create(missing, partitions, wanted)))
        await this.#create(missing, partitions, Math.min(MAX_REPLICAS, brokers.length));
    }
    await this.#awaitLeaders(topics);
  }

  /** Resolves with false if there are fewer brokers than replicas. */
  async #create(topics: readonly string[], partitions: number, replicas: number): Promise<boolean> {
    try {
      await this.#admin.createTopics({
        topics: topics.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: replicas })),
        waitForLeaders: false,
      });
      return true;
    } catch (error) {
      const types = typesOf(error);
      // Another server has created some of them meanwhile.
      if (types.every((type) => type === 'TOPIC_ALREADY_EXISTS')) return true;
      if (types.includes('INVALID_REPLICATION_FACTOR')) return false;
      throw error;
    }
  }

  async newestOffsets(topic: string): Promise<Positions> {
    try {
      const offsets = await this.#admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
    } catch (error) {
      // A broker that does not know a new topic yet answers without partitions, which kafkajs does
      // not expect.
      if (error instanceof TypeError) throw new NotReadyError(`${topic} has no partitions yet`, { cause: error });
      throw error;
    }
  }

  async membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const described = await this.#admin.describeGroups([...groups]);
    const counts = described.groups.map(({ groupId, members }): [string, number] => [groupId, members.length]);
    return new Map(counts.filter(([, count]) => count > 0));
  }

  async deleteGroups(groups: readonly string[]): Promise<void> {
    await this.#admin.deleteGroups([...groups]);
  }

  /** The brokers learn of a new topic one after the other, and then elect its leaders. */
  async #awaitLeaders(topics: readonly string[]): Promise<void> {
    const until = performance.now() + LEADER_MS;
    for (;;) {
      const missing = await this.#withoutLeader(topics);
      if (missing === null) return;
      if (performance.now() > until) throw new NotReadyError(`${missing} has a partition without a leader`);
      await new Promise((resolve) => setTimeout(resolve, LEADER_PAUSE_MS));
    }
  }

  /** The first of `topics` that has no partitions or one without a leader; otherwise null. */
  async #withoutLeader(topics: readonly string[]): Promise<string | null> {
    let found: ITopicMetadata[];
    try {
      found = (await this.#admin.fetchTopicMetadata({ topics: [...topics] })).topics;
    } catch {
      return topics[0] ?? null;
    }
    const led = new Set(
      found
        .filter(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0))
        .map(({ name }) => name),
    );
    return topics.find((topic) => !led.has(topic)) ?? null;
  }
}

/** The error codes of Kafka in an error, which may stand for several topics. */
function typesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return ['unknown'];
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.flatMap(typesOf);
  return ['type' in error && typeof error.type === 'string' ? error.type : 'unknown'];
}
