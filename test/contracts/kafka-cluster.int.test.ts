import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { message } from '../../dev/events.ts';
import { type RunningKafkaCluster, startKafkaCluster } from '../../dev/services/kafka-cluster.ts';
import { ServiceUnavailable } from '../../dev/services/service.ts';
import { describeWithOwnService, skipOrFail } from '../../dev/services/shared.ts';
import { partitionOf } from '../../src/adapters/kafka/partition-of.ts';
import { DEFAULT_TOPICS } from '../../src/adapters/kafka/topics.ts';
import { asAdmin, ClusterBuses, type Conversation, HEALTHY, KAFKA_CLIENTS } from './kafka-cluster-buses.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

await describeWithOwnService('kafka', 'the Kafka bus on three brokers', () => {
  let cluster: RunningKafkaCluster;
  let buses: ClusterBuses;
  beforeAll(async () => {
    cluster = await startKafkaCluster({ ipv6: HAS_IPV6 });
    // A writer sees added partitions at its next look.
    buses = new ClusterBuses(cluster, { lagCheck: 5_000 });
  }, 200_000);
  afterAll(() => cluster?.stop());
  afterEach(() => buses.close());

  it('hears records of partitions that are added while it runs, on both clients', async () => {
    const pairs = await buses.pairs('grown');
    const topics = pairs.map(({ topics }) => topics.DIRECT);
    await asAdmin(cluster, (admin) =>
      admin.createPartitions({ topicPartitions: topics.map((topic) => ({ topic, count: 8 })) }),
    );
    const room = Array.from({ length: 100 }, (_, id) => id + 1).find((id) => partitionOf(`r-${id}`, 8) === 7) ?? 0;
    // The writer uses the new partitions after it has asked for the leaders again.
    const isUsed = async (pair: Conversation): Promise<boolean> => {
      await pair.publish(room);
      return (await newestOffset(cluster, pair.topics.DIRECT, 7)) > 0;
    };
    const used = pairs.map((pair) => expect.poll(() => isUsed(pair), { timeout: 25_000, interval: 500 }).toBe(true));
    await Promise.all(used);
    await Promise.all(pairs.map((pair) => pair.heardAll(15_000)));
    expect(pairs.map((pair) => pair.health())).toEqual([HEALTHY, HEALTHY]);
  }, 90_000);

  it('starts with the address of an IPv6 broker alone, and writes to all brokers, on both clients', async (context) => {
    if (!HAS_IPV6) skipOrFail(context, new ServiceUnavailable('IPv6', 'the loopback interface has no ::1'));
    const brokers = cluster.brokers.filter((broker) => broker.startsWith('[::1]:'));
    expect(brokers).toHaveLength(1);
    const pairs = await buses.pairs('six', brokers);
    await Promise.all(
      pairs.map(async (pair) => {
        expect(await pair.publishToAll()).toEqual([]);
        await pair.heardAll(10_000);
      }),
    );
    expect(pairs.map((pair) => pair.health())).toEqual([HEALTHY, HEALTHY]);
  }, 60_000);

  it('loses nothing acknowledged when the first broker is killed, and starts without it, on both clients', async () => {
    const pairs = await buses.pairs('old');
    expect(pairs.map((pair) => pair.health())).toEqual([HEALTHY, HEALTHY]);
    await Promise.all(pairs.map((pair) => pair.publishToAll()));
    await cluster.members[0]?.kill();
    await Promise.all(
      pairs.map(async (pair) => {
        await expect.poll(() => pair.publishToAll(), { timeout: 40_000 }).toEqual([]);
        await pair.heardAll(40_000);
      }),
    );

    for (const client of KAFKA_CLIENTS) {
      const prefix = `new-${client}`;
      const [one, two] = await Promise.all(['c', 'd'].map((id) => buses.start(client, `${client}-${id}`, prefix)));
      expect([one?.bus.health(), two?.bus.health()]).toEqual(HEALTHY);
      await one?.bus.publish([{ event: message('r-5', 1) }]);
      await two?.heard.count(1);
      // The broker that is down gets its replicas when it returns.
      expect(await replicasOf(cluster, `${prefix}-${DEFAULT_TOPICS.DIRECT}`)).toEqual([3, 3, 3, 3, 3, 3]);
    }
  }, 120_000);
});

function newestOffset(cluster: RunningKafkaCluster, topic: string, partition: number): Promise<number> {
  return asAdmin(cluster, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return Number(offsets.find((one) => one.partition === partition)?.offset ?? 0);
  });
}

/** The number of replicas of each partition. */
function replicasOf(cluster: RunningKafkaCluster, topic: string): Promise<number[]> {
  return asAdmin(cluster, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas.length));
  });
}
