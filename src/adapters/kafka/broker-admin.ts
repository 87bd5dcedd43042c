import type { Admin } from 'kafkajs';
import { type ClientOptions, openClient, within } from './client.ts';

/** What is asked of the cluster beside records: topics, newest offsets, who is in a group. */
export class BrokerAdmin {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Opens a connection for `work` and ends it afterwards, so that none has to be watched over in between. */
  async run<T>(withinMs: number, what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const { kafka, abandon } = openClient(this.#options);
    const admin = kafka.admin();
    try {
      return await within(
        withinMs,
        what,
        admin.connect().then(() => work(admin)),
      );
    } finally {
      await within(1_000, 'closing', admin.disconnect()).catch(() => {});
      abandon();
    }
  }
}

const MOST_REPLICAS = 3;

/** Makes those of `topics` that are missing. Several servers may do so at the same time. */
export async function ensureTopics(admin: Admin, topics: readonly string[], partitions: number): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topic));
  if (missing.length === 0) return;
  const { brokers } = await admin.describeCluster();
  const replicationFactor = Math.min(MOST_REPLICAS, brokers.length);
  await admin.createTopics({
    topics: missing.map((topic) => ({ topic, numPartitions: partitions, replicationFactor })),
    waitForLeaders: true,
  });
}

/** Partition to the offset that its next record will have. */
export type Positions = ReadonlyMap<number, number>;

export async function newestOffsets(admin: Admin, topic: string): Promise<Positions> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
}

/** Group to the number of its members, those without any left out. */
export async function membersOf(admin: Admin, groups: readonly string[]): Promise<Map<string, number>> {
  const described = await admin.describeGroups([...groups]);
  const counts = described.groups.map(({ groupId, members }): [string, number] => [groupId, members.length]);
  return new Map(counts.filter(([, count]) => count > 0));
}
