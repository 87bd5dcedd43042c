import type { Admin } from 'kafkajs';
import { type KafkaAdmin, type Leaders, NO_LEADER, NotReadyError, type Positions } from '../driver.ts';
import { typesOf } from './errors.ts';

export class KafkaJsAdmin implements KafkaAdmin {
  readonly #admin: Admin;
  /**
   * Ends with the last request that reads metadata. Two at a time can overwrite the metadata of
   * each other in kafkajs, and then a topic seems to have no partitions.
   */
  #lastRead: Promise<unknown> = Promise.resolve();

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  listTopics(): Promise<readonly string[]> {
    return this.#admin.listTopics();
  }

  async countBrokers(): Promise<number> {
    return (await this.#admin.describeCluster()).brokers.length;
  }

  async createTopics(
    topics: readonly string[],
    { partitions, replicas }: { readonly partitions: number; readonly replicas: number },
  ): Promise<boolean> {
    try {
      await this.#admin.createTopics({
        topics: topics.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: replicas })),
        waitForLeaders: false,
      });
      return true;
    } catch (error) {
      const types = typesOf(error);
      if (types.includes('INVALID_REPLICATION_FACTOR')) return false;
      if (types.every((type) => type === 'TOPIC_ALREADY_EXISTS')) return true;
      throw error;
    }
  }

  async leaders(topics: readonly string[]): Promise<Leaders> {
    const { topics: found } = await this.#inTurn(() => this.#admin.fetchTopicMetadata({ topics: [...topics] }));
    return new Map(found.map(({ name, partitions }) => [name, byPartition(partitions)]));
  }

  async newestOffsets(topic: string): Promise<Positions> {
    try {
      const offsets = await this.#inTurn(() => this.#admin.fetchTopicOffsets(topic));
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

  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#lastRead.then(read);
    this.#lastRead = result.catch(() => {});
    return result;
  }
}

function byPartition(partitions: readonly { readonly partitionId: number; readonly leader: number }[]): number[] {
  const leaders = new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader]));
  return Array.from(partitions, (_, partition) => leaders.get(partition) ?? NO_LEADER);
}
