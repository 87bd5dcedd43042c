/**
 * Measures the bus on three brokers: fresh starts of two servers with topics of their own, delivery
 * between two servers before and after the first broker is killed, and fresh starts without it.
 * Arguments: starts (20).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { message } from '../dev/events.ts';
import { RecordedTelemetry } from '../dev/recorded-telemetry.ts';
import { startKafkaCluster } from '../dev/services/kafka-cluster.ts';
import { KafkaMessageBus } from '../src/adapters/kafka/message-bus.ts';
import { DEFAULT_TOPICS } from '../src/adapters/kafka/topics.ts';

const [starts = 20] = process.argv.slice(2).map(Number);
const cluster = await startKafkaCluster();
let servers = 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function spreadOf(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  return `${sorted.length}: min ${at(0)}, p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms`;
}

function open(prefix: string): KafkaMessageBus {
  servers += 1;
  const names = Object.entries(DEFAULT_TOPICS).map(([stream, name]) => [stream, `${prefix}-${name}`]);
  const topics = { ...DEFAULT_TOPICS, ...Object.fromEntries(names) };
  const telemetry = new RecordedTelemetry();
  return new KafkaMessageBus({ brokers: cluster.brokers, serverId: `bench-${servers}`, telemetry, topics });
}

async function freshStarts(label: string): Promise<void> {
  const times: number[] = [];
  let failed = 0;
  for (let run = 0; run < starts; run += 1) {
    const pair = [open(`${label}-${run}`), open(`${label}-${run}`)];
    const began = performance.now();
    await Promise.all(
      pair.map(async (bus) => {
        await bus.start(() => {});
        // A bus that did not reach Kafka starts nevertheless, and is not ready.
        if (bus.health().ready) times.push(performance.now() - began);
        else failed += 1;
      }),
    );
    await Promise.all(pair.map((bus) => bus.close({ forget: true })));
  }
  say(`fresh starts, ${label}: ${failed} failed; ${spreadOf(times)}`);
}

async function talk(): Promise<void> {
  const [one, two] = [open('talk'), open('talk')];
  const sentAt = new Map<number, number>();
  const heard = new Set<number>();
  const acknowledged = new Set<number>();
  let times: number[] = [];
  await one.start(() => {});
  await two.start(({ seq }) => {
    if (seq === null || heard.has(seq)) return;
    heard.add(seq);
    times.push(performance.now() - (sentAt.get(seq) ?? 0));
  });
  let seq = 0;
  const during = async (label: string, ms: number) => {
    times = [];
    for (const until = performance.now() + ms; performance.now() < until; await delay(20)) {
      seq += 1;
      const own = seq;
      sentAt.set(own, performance.now());
      one.publish([{ event: message(`r-${1 + (own % 50)}`, own) }]).then(
        () => acknowledged.add(own),
        () => {},
      );
    }
    say(`delivery, ${label}: ${spreadOf(times)}`);
  };
  await during('first 5 s', 5_000);
  await during('before', 10_000);
  await cluster.members[0]?.kill();
  await during('0 to 5 s after the kill', 5_000);
  await during('5 to 10 s', 5_000);
  await during('10 to 20 s', 10_000);
  await during('20 to 40 s', 20_000);
  await delay(5_000);
  say(`${acknowledged.size} acknowledged, ${[...acknowledged].filter((own) => !heard.has(own)).length} lost`);
  await Promise.all([one.close({ forget: true }), two.close({ forget: true })]);
}

try {
  await freshStarts('three-brokers');
  await talk();
  await freshStarts('first-broker-down');
} finally {
  await cluster.stop();
}
