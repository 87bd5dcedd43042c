import { expect, it } from 'vitest';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { describeWithService } from '../../dev/services/shared.ts';
import { loadDriver } from '../../src/adapters/kafka/load-driver.ts';
import { KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { DEFAULT_TOPICS } from '../../src/adapters/kafka/topics.ts';
import { kafkaBusSuites } from './kafka-bus-suites.ts';

const openDriver = await loadDriver('platformatic');

await kafkaBusSuites('platformatic', openDriver);

await describeWithService('kafka', 'the driver on @platformatic/kafka', ({ kafka: brokers }) => {
  it('reads the first record of a partition that was added later, and each record once', async () => {
    const DIRECT = `grown-${process.pid}`;
    const topics = { ...DEFAULT_TOPICS, DIRECT };
    const bus = new KafkaMessageBus({
      brokers,
      serverId: `grown-${process.pid}`,
      telemetry: new RecordedTelemetry(),
      topics,
      partitions: 1,
      timing: { lagCheck: 5_000 },
      openDriver,
    });
    const keys: unknown[] = [];
    await bus.start(({ key }) => {
      if (String(key).startsWith('added-')) keys.push(key);
    });
    const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: DIRECT, count: 3 }] });
    const producer = client.producer();
    await producer.connect();
    const messages = [0, 1, 2].map((partition) => ({ partition, key: `added-${partition}`, value: '{}' }));
    await producer.send({ topic: DIRECT, messages });
    // kafkajs may write a record again while a new partition has no leader.
    const written = (await admin.fetchTopicOffsets(DIRECT)).flatMap(({ partition, high }) =>
      Array.from({ length: Number(high) }, () => `added-${partition}`),
    );
    expect(new Set(written).size).toBe(3);
    await expect.poll(() => keys.toSorted(), { timeout: 25_000 }).toEqual(written.toSorted());
    expect(bus.health()).toEqual({ ready: true });
    await bus.close({ forget: true });
    await admin.deleteTopics({ topics: [DIRECT] });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    expect(keys).toHaveLength(written.length);
  }, 60_000);
});
