import { afterEach, expect, it, vi } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { NO_LEADER } from '../../../src/adapters/kafka/driver.ts';
import { KafkaMessageBus } from '../../../src/adapters/kafka/message-bus.ts';
import { DEFAULT_TOPICS } from '../../../src/adapters/kafka/topics.ts';
import { FakeKafka } from '../../support/kafka-fake.ts';

afterEach(() => void vi.useRealTimers());

it('says every 5 s what its start waits for, and nothing after it was closed', async () => {
  vi.useFakeTimers();
  const leaders = Object.values(DEFAULT_TOPICS).map((topic): [string, number[]] => [topic, [1, 2]]);
  const kafka = new FakeKafka(new Map(leaders));
  kafka.move(DEFAULT_TOPICS.FILE, 1, NO_LEADER);
  const telemetry = new RecordedTelemetry();
  const bus = new KafkaMessageBus({ brokers: ['kafka:9092'], serverId: 'a', telemetry, openDriver: () => kafka });
  const started = bus.start(() => {}).catch((error: unknown) => error);
  const waits = () => telemetry.logs.filter(({ what }) => what === 'the start still waits for Kafka');
  await vi.advanceTimersByTimeAsync(9_900);
  expect(waits()).toMatchObject([
    { level: 'info', fields: { for: `a leader for each partition of ${DEFAULT_TOPICS.FILE}`, seconds: 5 } },
  ]);
  await bus.close();
  await vi.advanceTimersByTimeAsync(10_000);
  await started;
  const said = waits().length;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(waits()).toHaveLength(said);
});
