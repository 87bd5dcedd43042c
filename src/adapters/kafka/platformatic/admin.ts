import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka';
import type { KafkaAdmin, Positions } from '../driver.ts';
import { answersIn, NotReadyError } from './errors.ts';

const MAX_REPLICAS = 3;
const LEADER_MS = 10_000;
const LEADER_PAUSE_MS = 100;

export class PlatformaticAdmin implements KafkaAdmin {
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
    if (missing.length > 0) await this.#create(missing, partitions);
    await this.#awaitLeaders(topics);
  }

  async newestOffsets(topic: string): Promise<Positions> {
    const { topics } = await this.#admin.metadata({ topics: [topic], forceUpdate: true });
    const count = topics.get(topic)?.partitionsCount ?? 0;
    if (count === 0) throw new NotReadyError(`${topic} has no partitions yet`);
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: ListOffsetTimestamps.LATEST,
    }));
    const [found] = await this.#admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return new Map(found?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]));
  }

  async membersOf(groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = await Promise.all(groups.map(async (group) => [group, await this.#countMembers(group)] as const));
    return new Map(counts.filter(([, count]) => count > 0));
  }

  async deleteGroups(groups: readonly string[]): Promise<void> {
    await this.#admin.deleteGroups({ groups: [...groups] });
  }

  /** One request a group: a group that does not exist makes the request fail. */
  async #countMembers(group: string): Promise<number> {
    try {
      const described = await this.#admin.describeGroups({ groups: [group] });
      return described.get(group)?.members.size ?? 0;
    } catch (error) {
      if (answersIn(error).includes('GROUP_ID_NOT_FOUND')) return 0;
      throw error;
    }
  }

  /**
   * A broker that is down is not described, but Kafka can plan a replica on it. If the operator
   * listed one broker by several names, only the described ones exist.
   */
  async #create(topics: readonly string[], partitions: number): Promise<void> {
    const { brokers } = await this.#admin.metadata({ topics: [] });
    const wanted = Math.min(MAX_REPLICAS, Math.max(brokers.size, this.#listed));
    if (!(await this.#createWith(topics, partitions, wanted)))
      await this.#createWith(topics, partitions, Math.min(MAX_REPLICAS, brokers.size));
  }

  /** Resolves with false if there are fewer brokers than replicas. */
  async #createWith(topics: readonly string[], partitions: number, replicas: number): Promise<boolean> {
    try {
      await this.#admin.createTopics({ topics: [...topics], partitions, replicas });
      return true;
    } catch (error) {
      const answers = answersIn(error);
      if (answers.includes('INVALID_REPLICATION_FACTOR')) return false;
      // Another server was faster. The broker has created the other topics of the request.
      if (answers.length > 0 && answers.every((answer) => answer === 'TOPIC_ALREADY_EXISTS')) return true;
      throw error;
    }
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
    try {
      // The library sorts the given list.
      const { topics: found } = await this.#admin.metadata({ topics: [...topics], forceUpdate: true, retries: 0 });
      const isLed = (topic: string) => {
        const partitions = found.get(topic)?.partitions ?? [];
        return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
      };
      return topics.find((topic) => !isLed(topic)) ?? null;
    } catch {
      return topics[0] ?? null;
    }
  }
}
