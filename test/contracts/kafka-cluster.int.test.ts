import { Kafka } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { message } from '../../dev/events.ts';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { type RunningKafkaCluster, startKafkaCluster } from '../../dev/services/kafka-cluster.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import { KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { partitionOf } from '../../src/adapters/kafka/partition-of.ts';
import { DEFAULT_TOPICS, type NamePerStream } from '../../src/adapters/kafka/topics.ts';
import { Heard } from '../support/heard.ts';

const timing = { session: 6_000, heartbeat: 500, silence: 20_000, commit: 500 };

await describeWithOwnService('kafka', 'the Kafka bus on three brokers', () => {
  let cluster: RunningKafkaCluster;
  const opened: KafkaMessageBus[] = [];
  beforeAll(async () => {
    cluster = await startKafkaCluster();
  }, 120_000);
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close()));
  });

  async function started(serverId: string, prefix: string) {
    const names = Object.entries(DEFAULT_TOPICS).map(([stream, name]) => [stream, `${prefix}-${name}`]);
    const topics: NamePerStream = { ...DEFAULT_TOPICS, ...Object.fromEntries(names) };
    const telemetry = new RecordedTelemetry();
    const bus = new KafkaMessageBus({ brokers: cluster.brokers, serverId, telemetry, topics, timing });
    opened.push(bus);
    const heard = new Heard();
    await bus.start(heard.handler);
    return { bus, heard };
  }

  it('hears records of partitions that are added while it runs', async () => {
    const [one, two] = await Promise.all([started('grown-a', 'grown'), started('grown-b', 'grown')]);
    const id =
      Array.from({ length: 100 }, (_, room) => room + 1).find((room) => partitionOf(`r-${room}`, 8) === 7) ?? 0;
    await addPartitions(cluster, `grown-${DEFAULT_TOPICS.DIRECT}`, 8);
    let seq = 0;
    // The writer uses the new partitions after it has asked for the leaders again.
    await expect
      .poll(
        async () => {
          seq += 1;
          await one.bus.publish([{ event: message(`r-${id}`, seq) }]);
          return newestOffset(cluster, `grown-${DEFAULT_TOPICS.DIRECT}`, 7);
        },
        { timeout: 25_000, interval: 500 },
      )
      .toBeGreaterThan(0);
    await two.heard.until((events) => seqsOf(events).size === seq, 15_000);
    expect([one.bus.health(), two.bus.health()]).toEqual([{ ready: true }, { ready: true }]);
  }, 60_000);

  it('loses no acknowledged record when the first broker is killed, and starts anew without it', async () => {
    const [one, two] = await Promise.all([started('a', 'old'), started('b', 'old')]);
    expect([one.bus.health(), two.bus.health()]).toEqual([{ ready: true }, { ready: true }]);
    const acknowledged: number[] = [];
    let seq = 0;
    const publish = async () => {
      seq += 1;
      const own = seq;
      await one.bus.publish([{ event: message(`r-${1 + (own % 12)}`, own) }]);
      acknowledged.push(own);
    };
    for (let count = 0; count < 50; count += 1) await publish();
    await cluster.members[0]?.kill();
    for (let count = 0; count < 50; count += 1) await publish().catch(() => {});
    await expect
      .poll(
        () =>
          publish().then(
            () => true,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
    const isComplete = (seqs: Set<unknown>) => acknowledged.every((own) => seqs.has(own));
    await two.heard.until((events) => isComplete(seqsOf(events)), 40_000);

    const fresh = await Promise.all([started('c', 'new'), started('d', 'new')]);
    expect(fresh.map(({ bus }) => bus.health())).toEqual([{ ready: true }, { ready: true }]);
    await fresh[0].bus.publish([{ event: message('r-5', 1) }]);
    await fresh[1].heard.count(1);
    // The broker that is down gets its replicas when it returns.
    expect(await replicasOf(cluster, `new-${DEFAULT_TOPICS.DIRECT}`)).toEqual([3, 3, 3, 3, 3, 3]);
  }, 120_000);
});

function seqsOf(events: readonly { readonly kind: string }[]): Set<unknown> {
  return new Set(events.map((event) => ('seq' in event ? event.seq : null)));
}

async function addPartitions({ clientConfig }: RunningKafkaCluster, topic: string, count: number): Promise<void> {
  const admin = new Kafka(clientConfig).admin();
  try {
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  } finally {
    await admin.disconnect();
  }
}

async function newestOffset({ clientConfig }: RunningKafkaCluster, topic: string, partition: number): Promise<number> {
  const admin = new Kafka(clientConfig).admin();
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    return Number(offsets.find((one) => one.partition === partition)?.offset ?? 0);
  } finally {
    await admin.disconnect();
  }
}

/** The number of replicas of each partition. */
async function replicasOf({ clientConfig }: RunningKafkaCluster, topic: string): Promise<number[]> {
  const admin = new Kafka(clientConfig).admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas.length));
  } finally {
    await admin.disconnect();
  }
}
