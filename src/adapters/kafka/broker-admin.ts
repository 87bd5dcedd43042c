import type { Admin } from 'kafkajs';
import { withTimeout } from '../support/with-timeout.ts';
import { type ClientOptions, disconnect, openClient } from './client.ts';

/**
 * Requests to the Kafka cluster that are not about records: topics, newest offsets, members of
 * groups.
 */
export class BrokerAdmin {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Opens a connection for `work` and closes it afterwards. A permanent connection would have to be
   * monitored.
   * @throws Error(`{task} took longer than {ms} ms`)
   */
  async run<T>(ms: number, task: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const { kafka, abandon } = openClient(this.#options);
    const admin = kafka.admin();
    try {
      const done = admin.connect().then(() => work(admin));
      return await withTimeout(ms, done, () => new Error(`${task} took longer than ${ms} ms`));
    } finally {
      await disconnect(admin);
      abandon();
    }
  }
}

const MAX_REPLICAS = 3;

/** Creates those of `topics` that are missing. Several servers may do so at the same time. */
export async function ensureTopics(admin: Admin, topics: readonly string[], partitions: number): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length === 0) return;
  const { brokers } = await admin.describeCluster();
  const replicationFactor = Math.min(MAX_REPLICAS, brokers.length);
  await admin.createTopics({
    topics: missing.map((topic) => ({ topic, numPartitions: partitions, replicationFactor })),
    waitForLeaders: true,
  });
}

/** For each partition number, the offset that the next record will get. */
export type Positions = ReadonlyMap<number, number>;

export async function newestOffsets(admin: Admin, topic: string): Promise<Positions> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
}

/** The number of members of each group. Groups without members are left out. */
export async function membersOf(admin: Admin, groups: readonly string[]): Promise<Map<string, number>> {
  const described = await admin.describeGroups([...groups]);
  const counts = described.groups.map(({ groupId, members }): [string, number] => [groupId, members.length]);
  return new Map(counts.filter(([, count]) => count > 0));
}
