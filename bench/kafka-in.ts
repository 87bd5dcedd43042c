/**
 * Measures the cost of incoming records. First: records without a listener, from kafkajs' batch on.
 * Then, over a real Kafka: the time from `publish` to the handler at 500 records a second, and the
 * speed of handling a backlog.
 */

import { startKafka } from '../dev/services/kafka.ts';
import type { ConsumedMessage } from '../src/adapters/kafka/driver.ts';
import { KafkaJsDriver } from '../src/adapters/kafka/kafkajs/driver.ts';
import { loadDriver } from '../src/adapters/kafka/load-driver.ts';
import { KafkaMessageBus } from '../src/adapters/kafka/message-bus.ts';
import { ReadPositions } from '../src/adapters/kafka/positions.ts';
import { takeBatch } from '../src/adapters/kafka/take-batch.ts';
import { TopicConsumer } from '../src/adapters/kafka/topic-consumer.ts';
import { DEFAULT_GROUPS, DEFAULT_TOPICS, type NamePerStream } from '../src/adapters/kafka/topics.ts';
import type { RecordSource } from '../src/adapters/records/received-record.ts';
import { encodeRecord } from '../src/adapters/records/record-codec.ts';
import type { Telemetry } from '../src/application/ports/telemetry.ts';
import type { MessageCreated } from '../src/domain/stored-event.ts';

const telemetry: Telemetry = {
  count() {},
  observe() {},
  log: (level, what, fields) => say(level, what, JSON.stringify(fields)),
};

function say(...words: unknown[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

function event(room: number, seq: number): MessageCreated {
  const id = seq.toString(16).padStart(24, '0');
  const content = 'x'.repeat(200);
  const time = Date.now();
  const author = { userId: 3, name: 'Ada', profileImage: null, nonce: null, communityId: null };
  return { kind: 'message', place: `r-${room}`, seq, id, time, content, ...author };
}

function batchOf(count: number, first: number): ConsumedMessage[] {
  return Array.from({ length: count }, (_, i) => {
    const { key, value, headers } = encodeRecord({ event: event(1 + (i % 1000), i + 1), batchEnd: i + 1 }, 'server-1');
    const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
    return {
      key: Buffer.from(key),
      value: Buffer.from(value),
      headers: Object.fromEntries(bytes),
      timestamp: String(Date.now()),
      offset: String(first + i),
    };
  });
}

function skipping(): void {
  const here = new Set(['r-100000']);
  const source: RecordSource<ConsumedMessage> = { stream: 'DIRECT', skipped: () => {} };
  let heard = 0;
  let taken = 0;
  let spent = 0;
  for (let round = 0; round < 600; round += 1) {
    // New buffers each time, as in a fetch.
    const messages = batchOf(500, 0);
    const before = performance.now();
    takeBatch(
      { partition: 0, highWatermark: '500', messages },
      new ReadPositions(new Map()),
      source,
      ({ key, seq }) => {
        if ((key === null || here.has(key)) && seq !== null) heard += 1;
      },
      () => {},
    );
    if (round < 100) continue;
    spent += performance.now() - before;
    taken += messages.length;
  }
  say(
    `skipped: ${Math.round((taken / spent) * 1000)} records/s (${((spent / taken) * 1e6).toFixed(0)} ns each, ${heard})`,
  );
}

function named(names: NamePerStream): NamePerStream {
  return { ...names, ...Object.fromEntries(Object.entries(names).map(([kind, name]) => [kind, `bench-${name}`])) };
}

async function overKafka(brokers: readonly string[]): Promise<void> {
  const topics = named(DEFAULT_TOPICS);
  const groups = named(DEFAULT_GROUPS);
  const bus = new KafkaMessageBus({
    brokers,
    serverId: `bench-${process.pid}`,
    telemetry,
    topics,
    groups,
    openDriver: await loadDriver('kafkajs'),
  });
  const sent = new Map<number, number>();
  const times: number[] = [];
  const seconds = 10;
  const heard = Promise.withResolvers<void>();
  const starting = performance.now();
  await bus.start(({ seq }) => {
    const at = sent.get(seq ?? 0);
    if (at !== undefined) times.push(performance.now() - at);
    if (times.length === seconds * 500) heard.resolve();
  });
  say(`ready in ${Math.round(performance.now() - starting)} ms`);
  for (let seq = 1; seq <= seconds * 500; seq += 1) {
    sent.set(seq, performance.now());
    bus.publish([{ event: event(1 + (seq % 50), seq) }]).catch((error: unknown) => say(String(error)));
    if (seq % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await heard.promise;
  sent.clear();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(times.length * part)]?.toFixed(1);
  say(`500/s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${times.at(-1)?.toFixed(1)} ms`);

  const count = 100_000;
  const begin = performance.now();
  for (let chunk = 0; chunk < count / 1000; chunk += 1) {
    await bus.publish(Array.from({ length: 1000 }, (_, i) => ({ event: event(1 + (i % 50), 1_000_000 + i) })));
  }
  say(`written: ${perSecond(count, begin)} records/s`);
  await bus.close({ forget: true });
  await backlog(brokers, topics.DIRECT, count);
}

/** Measures how fast records of a backlog are fetched, unpacked and skipped. */
async function backlog(brokers: readonly string[], topic: string, count: number): Promise<void> {
  let left = count;
  let begin = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const consumer = new TopicConsumer({
    driver: new KafkaJsDriver({ brokers, clientId: 'bench', telemetry, tls: null, sasl: null, compression: 'none' }),
    telemetry,
    topic,
    group: `bench-backlog-${process.pid}`,
    from: new Map(),
    source: { stream: 'DIRECT', skipped: () => {} },
    handler: ({ key }) => {
      if (begin === 0) begin = performance.now();
      if (key !== null) left -= 1;
      if (left === 0) resolve();
    },
    timing: { session: 10_000, heartbeat: 2_000, silence: 30_000, commit: 3_000, fetchWait: 500 },
  });
  await consumer.start();
  await promise;
  say(`a backlog: ${perSecond(count, begin)} records/s`);
  await consumer.close();
}

function perSecond(count: number, begin: number): number {
  return Math.round((count / (performance.now() - begin)) * 1000);
}

skipping();
const kafka = await startKafka();
try {
  await overKafka(kafka.brokers);
} finally {
  await kafka.stop();
}
process.exit(0);
