/**
 * Measures the bus on three brokers: fresh starts of two servers with topics of their own, delivery
 * between two servers before and after the first broker is killed, and fresh starts without it.
 *
 *     node bench/kafka-cluster.ts --starts 20 --session 9000 --client platformatic
 *
 * `--session` is the time in milliseconds after which the brokers give up a dead one (the default
 * of Kafka: 9000). With `--starts 0` only the delivery is measured.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { message } from '../dev/events.ts';
import { RecordedTelemetry } from '../dev/recorded-telemetry.ts';
import { startKafkaCluster } from '../dev/services/kafka-cluster.ts';
import { Kafka } from '../dev/services/kafkajs.ts';
import { loadDriver } from '../src/adapters/kafka/load-driver.ts';
import { KafkaMessageBus } from '../src/adapters/kafka/message-bus.ts';
import { DEFAULT_TOPICS } from '../src/adapters/kafka/topics.ts';

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '20' },
    session: { type: 'string', default: '9000' },
    client: { type: 'string', default: 'kafkajs' },
  },
});
const starts = Number(values.starts);
const openDriver = await loadDriver(values.client === 'platformatic' ? 'platformatic' : 'kafkajs');
const isDefault = values.session === '9000';
const cluster = await startKafkaCluster({
  config: {
    'broker.session.timeout.ms': values.session,
    'broker.heartbeat.interval.ms': isDefault ? '2000' : '500',
    'replica.lag.time.max.ms': isDefault ? '30000' : '3000',
  },
});
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
  return new KafkaMessageBus({
    brokers: cluster.brokers,
    serverId: `bench-${servers}`,
    telemetry,
    topics,
    openDriver,
  });
}

async function freshStarts(label: string): Promise<void> {
  if (starts === 0) return;
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

/** Prints when the dead broker leads no partition of the topic any more. */
async function reportMove(topic: string, killedAt: number): Promise<void> {
  const { clientConfig, brokers } = cluster;
  const kafka = new Kafka({ ...clientConfig, brokers: brokers.slice(1), retry: { retries: 0 } });
  const admin = kafka.admin();
  await admin.connect();
  for (;;) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }));
    const leaders = topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader));
    if (leaders.length > 0 && leaders.every((leader) => leader > 1)) break;
    await delay(50);
  }
  say(`leaders moved ${Math.round(performance.now() - killedAt)} ms after the kill`);
  await admin.disconnect();
}

async function talk(): Promise<void> {
  const [one, two] = [open('talk'), open('talk')];
  const sentAt = new Map<number, number>();
  const heard = new Set<number>();
  const acknowledged = new Set<number>();
  const tooOld: number[] = [];
  const periods: { readonly label: string; readonly first: number; last: number }[] = [];
  const lateness = new Map<number, number>();
  const newest = new Map<string, number>();
  await one.start(() => {});
  await two.start(({ key, seq }) => {
    if (seq === null || heard.has(seq)) return;
    heard.add(seq);
    if (seq < (newest.get(key ?? '') ?? 0)) tooOld.push(seq);
    newest.set(key ?? '', seq);
    lateness.set(seq, performance.now() - (sentAt.get(seq) ?? 0));
  });
  let seq = 0;
  const during = async (label: string, ms: number) => {
    const period = { label, first: seq + 1, last: seq };
    periods.push(period);
    for (const until = performance.now() + ms; performance.now() < until; await delay(20)) {
      seq += 1;
      const own = seq;
      period.last = own;
      sentAt.set(own, performance.now());
      one.publish([{ event: message(`r-${1 + (own % 50)}`, own) }]).then(
        () => acknowledged.add(own),
        () => {},
      );
    }
  };
  await during('in the first 5 s', 5_000);
  await during('before the kill', 10_000);
  // Records that are under way at the kill do not count as sent before it.
  await delay(1_000);
  await cluster.members[0]?.kill();
  const moved = reportMove(`talk-${DEFAULT_TOPICS.DIRECT}`, performance.now());
  await during('0 to 5 s after it', 5_000);
  await during('5 to 10 s after it', 5_000);
  await during('10 to 20 s after it', 10_000);
  await during('20 to 40 s after it', 20_000);
  await moved;
  await delay(5_000);
  for (const { label, first, last } of periods) {
    const times = [...lateness].filter(([own]) => own >= first && own <= last).map(([, late]) => late);
    say(`delivery of records sent ${label}: ${spreadOf(times)}`);
  }
  const lost = [...acknowledged].filter((own) => !heard.has(own));
  say(`${seq} sent, ${acknowledged.size} acknowledged, ${lost.length} lost, ${tooOld.length} out of order`);
  await Promise.all([one.close({ forget: true }), two.close({ forget: true })]);
}

try {
  await freshStarts('three-brokers');
  await talk();
  await freshStarts('first-broker-down');
} finally {
  await cluster.stop();
}
