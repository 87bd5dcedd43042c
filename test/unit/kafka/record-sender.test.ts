import { afterEach, describe, expect, it } from 'vitest';
import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import type { Leaders } from '../../../src/adapters/kafka/driver.ts';
import { partitionOf } from '../../../src/adapters/kafka/partition-of.ts';
import { RecordSender } from '../../../src/adapters/kafka/record-sender.ts';
import { DEFAULT_TOPICS } from '../../../src/adapters/kafka/topics.ts';
import type { EncodedRecord } from '../../../src/adapters/records/record-codec.ts';
import { FakeKafka } from '../../support/kafka-fake.ts';

const TOPIC = DEFAULT_TOPICS.DIRECT;
const SIX: Leaders = new Map([[TOPIC, [1, 2, 3, 1, 2, 3]]]);
/** A key for each of six partitions. */
const KEYS = Array.from({ length: 6 }, (_, partition) => keyOf(partition));

function keyOf(partition: number): string {
  for (let id = 1; ; id += 1) if (partitionOf(`r-${id}`, 6) === partition) return `r-${id}`;
}

function record(partition: number, value: string): EncodedRecord {
  return { stream: 'DIRECT', key: KEYS[partition] ?? '', headers: { server: 'a' }, value };
}

describe('the sender of records', () => {
  const opened: RecordSender[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((sender) => sender.close(0)));
  });

  async function sending(leaders = SIX) {
    const kafka = new FakeKafka(leaders);
    const telemetry = new RecordedTelemetry();
    const sender = new RecordSender({ driver: kafka, topics: DEFAULT_TOPICS, telemetry });
    opened.push(sender);
    await sender.connect(kafka.leaders);
    return { kafka, sender, telemetry };
  }

  it('writes the records of a key into one partition, in the order of the calls', async () => {
    const { kafka, sender } = await sending();
    await Promise.all(['1', '2', '3'].map((value) => sender.send([record(4, value), record(5, value)])));
    expect(valuesIn(kafka, 4)).toEqual(['1', '2', '3']);
    expect(valuesIn(kafka, 5)).toEqual(['1', '2', '3']);
  });

  it('sends records of all partitions of a broker in one request', async () => {
    const { kafka, sender } = await sending(new Map([[TOPIC, [1, 1, 1, 1, 1, 1]]]));
    await Promise.all([0, 1, 2, 3, 4, 5].map((partition) => sender.send([record(partition, 'x')])));
    expect(kafka.requests).toEqual([1]);
  });

  it('does not let a dead leader delay the records of other leaders', async () => {
    const { kafka, sender } = await sending();
    kafka.dead.add(1);
    const waiting = sender.send([record(0, 'waits')]);
    await Promise.all([sender.send([record(1, 'x')]), sender.send([record(2, 'x')])]);
    expect(kafka.written).toHaveLength(2);
    kafka.dead.clear();
    await waiting;
    expect(valuesIn(kafka, 0)).toEqual(['waits']);
  });

  it('asks for the new leader and writes what waited there, in order', async () => {
    const { kafka, sender } = await sending();
    kafka.dead.add(1);
    const waiting = ['1', '2', '3'].map((value) => sender.send([record(0, value)]));
    await sender.send([record(1, 'x')]);
    for (const partition of [0, 3]) kafka.move(TOPIC, partition, 3);
    await Promise.all(waiting);
    expect(valuesIn(kafka, 0)).toEqual(['1', '2', '3']);
    expect(sender.failure).toBeNull();
  });

  it('asks the former leader no more after another broker leads the partition', async () => {
    const { kafka, sender } = await sending();
    await sender.send([record(1, 'x')]);
    kafka.dead.add(1);
    for (const partition of [0, 3]) kafka.move(TOPIC, partition, 2);
    sender.learn(kafka.leaders);
    await sender.send([record(0, 'x'), record(1, 'y')]);
    expect(kafka.requests).toEqual([2, 2]);
  });

  it('gives up a request to a frozen broker as soon as another one leads the partition', async () => {
    const { kafka, sender } = await sending();
    kafka.frozen.add(1);
    const began = performance.now();
    const waiting = sender.send([record(0, 'waits')]);
    await expect.poll(() => kafka.requests).toEqual([1]);
    for (const partition of [0, 3]) kafka.move(TOPIC, partition, 2);
    await waiting;
    expect(valuesIn(kafka, 0)).toEqual(['waits']);
    expect(performance.now() - began).toBeLessThan(3_500);
  });

  it('waits for a leader while a partition has none', async () => {
    const { kafka, sender } = await sending();
    kafka.move(TOPIC, 0, -1);
    sender.learn(kafka.leaders);
    const waiting = sender.send([record(0, 'waits')]);
    await sender.send([record(3, 'x')]);
    kafka.move(TOPIC, 0, 2);
    await waiting;
    expect(kafka.requests).toEqual([1, 2]);
  });

  it('uses partitions that were added', async () => {
    const { kafka, sender } = await sending();
    sender.learn(new Map([[TOPIC, [1, 2, 3, 1, 2, 3, 1, 2]]]));
    const keys = Array.from({ length: 50 }, (_, id) => `r-${id}`);
    await sender.send(keys.map((key) => ({ stream: 'DIRECT', key, headers: {}, value: 'x' })));
    expect(new Set(kafka.written.map(({ partition }) => partition))).toContain(7);
  });

  it('refuses a record that is too large, and no other', async () => {
    const { kafka, sender } = await sending();
    kafka.maxBytes = 1_000;
    const sent = [record(0, 'x'), record(0, 'y'.repeat(2_000)), record(3, 'z')].map((one) => sender.send([one]));
    const results = await Promise.allSettled(sent);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(kafka.written.map(({ value }) => value).toSorted()).toEqual(['x', 'z']);
  });

  it('refuses the records of a topic that the user may not write to, and writes the other topics', async () => {
    const others = new Map(Object.values(DEFAULT_TOPICS).map((topic) => [topic, [1, 1, 1, 1, 1, 1]]));
    const { kafka, sender, telemetry } = await sending(others);
    kafka.forbidden.add(TOPIC);
    const channel = { ...record(0, 'x'), stream: 'CHANNEL' } as const;
    const message = `the Kafka user has no right to Write on the topic ${TOPIC}`;
    for (let count = 0; count < 3; count += 1) {
      const [refused, written] = await Promise.allSettled([sender.send([record(0, 'y')]), sender.send([channel])]);
      expect(written.status).toBe('fulfilled');
      expect(String(refused.status === 'rejected' && refused.reason)).toContain(message);
    }
    expect(sender.failure).toBe(message);
    expect(telemetry.logs.map(({ fields }) => String(fields.error))).toEqual([`MissingRightError: ${message}`]);
    // Only the first request holds both topics. Its repetition writes one record again.
    expect(valuesIn(kafka, 0)).toHaveLength(4);
    kafka.forbidden.clear();
    await sender.send([record(0, 'z')]);
    expect(sender.failure).toBeNull();
  });

  it('rejects what waits for a dead leader when it is closed', async () => {
    const { kafka, sender } = await sending();
    kafka.dead.add(1);
    const waiting = sender.send([record(0, 'waits')]);
    await Promise.all([sender.close(50), expect(waiting).rejects.toThrow('closed before Kafka acknowledged')]);
  });
});

function valuesIn({ written }: FakeKafka, partition: number): string[] {
  return written.filter((one) => one.partition === partition).map(({ value }) => value);
}
