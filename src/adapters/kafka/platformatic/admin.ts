import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka';
import { type KafkaAdmin, type Leaders, NO_LEADER, NotReadyError, type Positions } from '../driver.ts';
import { answersIn } from './errors.ts';

export class PlatformaticAdmin implements KafkaAdmin {
  readonly #admin: Admin;

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  listTopics(): Promise<readonly string[]> {
    return this.#admin.listTopics();
  }

  async countBrokers(): Promise<number> {
    return (await this.#admin.metadata({ topics: [] })).brokers.size;
  }

  async createTopics(
    topics: readonly string[],
    { partitions, replicas }: { readonly partitions: number; readonly replicas: number },
  ): Promise<boolean> {
    try {
      await this.#admin.createTopics({ topics: [...topics], partitions, replicas });
      return true;
    } catch (error) {
      const answers = answersIn(error);
      if (answers.includes('INVALID_REPLICATION_FACTOR')) return false;
      if (answers.length > 0 && answers.every((answer) => answer === 'TOPIC_ALREADY_EXISTS')) return true;
      throw error;
    }
  }

  async leaders(topics: readonly string[]): Promise<Leaders> {
    // The library sorts the given list.
    const { topics: found } = await this.#admin.metadata({ topics: [...topics], forceUpdate: true, retries: 0 });
    return new Map(
      topics.map((topic) => [topic, (found.get(topic)?.partitions ?? []).map(({ leader }) => leader ?? NO_LEADER)]),
    );
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
}
