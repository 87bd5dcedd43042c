import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../../dev/events.ts';
import { RecordedTelemetry } from '../../dev/recorded-telemetry.ts';
import { Kafka, logLevel } from '../../dev/services/kafkajs.ts';
import { describeWithOwnService } from '../../dev/services/shared.ts';
import type { KafkaMessageBus } from '../../src/adapters/kafka/message-bus.ts';
import { Heard } from '../support/heard.ts';
import {
  KAFKA_CLIENTS,
  namesOf,
  type RestrictedKafka,
  type RestrictedUser,
  startRestrictedKafka,
} from '../support/restricted-kafka.ts';

await describeWithOwnService('kafka', 'with a Kafka that restricts rights', () => {
  let kafka: RestrictedKafka;
  const opened: KafkaMessageBus[] = [];
  beforeAll(async () => {
    kafka = await startRestrictedKafka();
  }, 60_000);
  afterAll(() => kafka?.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close({ forget: true })));
  });

  describe.each(KAFKA_CLIENTS)('on the client %s', (client) => {
    function open(user: RestrictedUser, telemetry = new RecordedTelemetry()): KafkaMessageBus {
      const bus = kafka.open(client, user, 'a', telemetry);
      opened.push(bus);
      return bus;
    }

    it('creates topics, writes, hears and removes its groups with the documented rights', async () => {
      const telemetry = new RecordedTelemetry();
      const bus = open('complete', telemetry);
      const heard = new Heard();
      await bus.start(heard.handler);
      await bus.publish([{ event: message('r-5', 1) }]);
      await heard.count(1);
      await bus.close({ forget: true });
      // A new broker has no coordinator of groups for a moment, which the client library reports.
      expect(telemetry.logs.filter(({ what }) => what !== 'kafka client')).toEqual([]);
    });

    it.each<[RestrictedUser, string, RegExp]>([
      ['nocreate', 'Create (or Describe, if it exists) on the topic', /-direct$/],
      ['notopicread', 'Read on the topic', /-[a-z-]+$/],
      ['nogroup', 'Describe on the group', /-direct-a$/],
      ['nogroupread', 'Read on the group', /-[a-z-]+-a$/],
    ])('does not start as the user %s, who has no right to %s, and says so', async (user, right, name) => {
      const bus = open(user);
      const failure = await bus
        .start(() => {})
        .then(
          () => 'started',
          (error: Error) => error.message,
        );
      expect(failure).toContain(`the Kafka user has no right to ${right} ${user}-${client}`);
      expect(failure).toMatch(name);
    });

    it('writes nothing without the right to write, names it once, and still hears', async () => {
      const telemetry = new RecordedTelemetry();
      const bus = open('nowrite', telemetry);
      const heard = new Heard();
      await bus.start(heard.handler);
      const topic = namesOf('nowrite', client).DIRECT;
      const right = `the Kafka user has no right to Write on the topic ${topic}`;
      for (let count = 0; count < 2; count += 1) {
        await expect(bus.publish([{ event: message('r-5', 1) }])).rejects.toThrow(right);
      }
      expect(bus.health()).toEqual({ ready: false, reason: `writing: ${right}` });
      const errors = telemetry.logs.filter(({ level }) => level === 'error');
      expect(errors.map(({ what }) => what)).toEqual(['Kafka refuses to write records']);
      const producer = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).producer();
      await producer.connect();
      const value = JSON.stringify({ channelId: 5, id: '6b030f10cedf3b3501ec1679', userId: 1, content: 'x' });
      await producer.send({ topic, messages: [{ key: 'r-5', value }] });
      await heard.count(1);
      await producer.disconnect();
    });

    it('leaves its groups behind without the right to delete them, and names one', async () => {
      const telemetry = new RecordedTelemetry();
      const bus = open('nogroupdelete', telemetry);
      await bus.start(() => {});
      await bus.close({ forget: true });
      const logged = telemetry.logs.find(({ what }) => what === 'the Kafka groups were not removed');
      const group = `${namesOf('nogroupdelete', client).DIRECT}-a`;
      expect(String(logged?.fields.error)).toContain(`the Kafka user has no right to Delete on the group ${group}`);
    });
  });
});
