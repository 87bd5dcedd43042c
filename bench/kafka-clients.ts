/**
 * Compares the client libraries of Kafka, and the compressions, on one real broker. Each run is a
 * process of its own, and the variants take turns. Per variant: memory after the start and at the
 * most, delivery between two servers at 100 and 500 records a second, CPU of a record that is sent,
 * skipped and decoded, and the bytes that a record takes on the broker.
 * Arguments: runs (5), variants (`kafkajs platformatic`; `kafkajs:zstd` is one with a compression).
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { message } from '../dev/events.ts';
import { RecordedTelemetry } from '../dev/recorded-telemetry.ts';
import type { Compression } from '../src/adapters/kafka/driver.ts';
import { loadDriver } from '../src/adapters/kafka/load-driver.ts';
import { KafkaMessageBus } from '../src/adapters/kafka/message-bus.ts';
import { TopicConsumer } from '../src/adapters/kafka/topic-consumer.ts';
import { DEFAULT_TOPICS } from '../src/adapters/kafka/topics.ts';
import { encodeRecord } from '../src/adapters/records/record-codec.ts';

type Figures = Record<string, number>;

const RECORDS = 20_000;
const IN_ONE_REQUEST = 250;
const SECONDS = 3;
const CONTENT = 200;
const TIMING = { session: 10_000, heartbeat: 2_000, silence: 30_000, commit: 3_000, fetchWait: 500 };

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A text that compresses like chat: words of a small vocabulary. */
function textOf(seed: number): string {
  const words = ['the', 'server', 'tomorrow', 'meeting', 'yes', 'no', 'please', 'look', 'again', 'thanks', 'room'];
  let text = '';
  for (let at = seed; text.length < CONTENT; at = (at * 31 + 7) % 1_000_003) {
    text += `${words[at % words.length]}${at % 97} `;
  }
  return text;
}

const eventOf = (seq: number) => ({ ...message(`r-${1 + (seq % 50)}`, seq), content: textOf(seq) });

/** Microseconds of CPU of this process for each of `count` records. */
async function cpuOf(count: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function runOnce(brokers: readonly string[], client: string, compression: Compression): Promise<Figures> {
  const telemetry = new RecordedTelemetry();
  const prefix = `bench-${process.pid}`;
  const names = Object.entries(DEFAULT_TOPICS).map(([stream, name]) => [stream, `${prefix}-${name}`]);
  const topics = { ...DEFAULT_TOPICS, ...Object.fromEntries(names) };
  const open = await loadDriver(client === 'platformatic' ? 'platformatic' : 'kafkajs');
  const options = { brokers, clientId: prefix, telemetry, tls: null, sasl: null, compression };
  const busOf = (serverId: string) =>
    new KafkaMessageBus({ brokers, serverId, telemetry, topics, compression, openDriver: open });
  const [one, two] = [busOf(`${prefix}-a`), busOf(`${prefix}-b`)];
  const sentAt = new Map<number, number>();
  let times: number[] = [];
  await one.start(() => {});
  const startMb = process.memoryUsage.rss() / 2 ** 20;
  await two.start(({ seq }) => {
    const at = sentAt.get(seq ?? 0);
    if (at !== undefined) times.push(performance.now() - at);
  });
  let seq = 0;
  const talk = async (rate: number): Promise<[p50: number, p99: number, cpu: number]> => {
    times = [];
    const count = rate * SECONDS;
    const cpu = await cpuOf(count, async () => {
      const began = performance.now();
      for (let sent = 0; sent < count; sent += 1) {
        const wait = began + (sent * 1000) / rate - performance.now();
        if (wait > 1) await delay(wait);
        seq += 1;
        sentAt.set(seq, performance.now());
        one.publish([{ event: eventOf(seq) }]).catch(() => {});
      }
      while (times.length < count) await delay(5);
    });
    times.sort((a, b) => a - b);
    return [times[Math.floor(count * 0.5)] ?? 0, times[Math.floor(count * 0.99)] ?? 0, cpu];
  };
  await talk(100);
  const slow = await talk(100);
  const fast = await talk(500);
  await Promise.all([one.close({ forget: true }), two.close({ forget: true })]);

  const topic = topics.FILE;
  const driver = open(options);
  const producer = driver.openProducer();
  await producer.connect();
  const records = Array.from({ length: RECORDS }, (_, i) => {
    const { key, value, headers } = encodeRecord({ event: eventOf(i + 1), batchEnd: i + 1 }, prefix);
    return { key, value, headers, partition: 0 };
  });
  let sendSeconds = 0;
  const sent = await cpuOf(RECORDS, async () => {
    const began = performance.now();
    for (let at = 0; at < RECORDS; at += IN_ONE_REQUEST) {
      await producer.send(new Map([[topic, records.slice(at, at + IN_ONE_REQUEST)]]));
    }
    sendSeconds = (performance.now() - began) / 1000;
  });
  await producer.close();
  const backlog = (name: string, decode: boolean): Promise<number> =>
    cpuOf(RECORDS, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      let left = RECORDS;
      const consumer = new TopicConsumer({
        driver,
        telemetry,
        topic,
        group: `${prefix}-${name}`,
        from: new Map(),
        source: { stream: 'DIRECT', skipped: () => {} },
        handler: (record) => {
          if (decode) record.read();
          if (record.key !== null) left -= 1;
          if (left === 0) resolve();
        },
        timing: TIMING,
      });
      await consumer.start();
      await promise;
      await consumer.close();
    });
  // Warms the code up.
  await backlog('warm', false);
  return {
    'memory after the start, MiB': startMb,
    'p50 at 100/s, ms': slow[0],
    'p99 at 100/s, ms': slow[1],
    'p50 at 500/s, ms': fast[0],
    'p99 at 500/s, ms': fast[1],
    'CPU at 500/s of both servers, µs a record': fast[2],
    'CPU to send, µs a record': sent,
    'sent a second': RECORDS / sendSeconds,
    'CPU to skip, µs a record': await backlog('skip', false),
    'CPU to decode, µs a record': await backlog('read', true),
    'most memory, MiB': process.resourceUsage().maxRSS / 1024,
  };
}

/** Runs a variant in a process of its own, which loads one client library only. */
async function runApart(brokers: readonly string[], variant: string): Promise<Figures & { pid: number }> {
  const child = spawn(process.execPath, [import.meta.filename, 'run', variant, brokers.join(',')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return { ...JSON.parse(output), pid: child.pid ?? 0 };
}

/** The bytes of a topic with one replica. */
async function sizeOf(brokers: readonly string[], name: string): Promise<number> {
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [...brokers] });
  try {
    const found = await admin.describeLogDirs({ topics: [{ name, partitions: [0] }] });
    const partitions = found.flatMap(({ results }) =>
      results.flatMap(({ topics }) => topics.flatMap((one) => one.partitions)),
    );
    return partitions.reduce((sum, { partitionSize }) => sum + Number(partitionSize), 0);
  } finally {
    await admin.close();
  }
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toPrecision(3);
  return `${at(0)} / ${at(0.5)} / ${at(1)}`;
}

async function compare(runs: number, variants: readonly string[]): Promise<void> {
  const { startKafka } = await import('../dev/services/kafka.ts');
  const kafka = await startKafka({ own: true, heapMb: 320 });
  const found = new Map<string, Figures[]>(variants.map((variant) => [variant, []]));
  try {
    for (let run = 0; run < runs; run += 1) {
      for (const variant of variants) {
        const { pid, ...figures } = await runApart(kafka.brokers, variant);
        const size = await sizeOf(kafka.brokers, `bench-${pid}-${DEFAULT_TOPICS.FILE}`);
        figures['bytes a record on the broker'] = size / RECORDS;
        found.get(variant)?.push(figures);
        say(`run ${run + 1}, ${variant}: ${JSON.stringify(figures)}`);
      }
    }
  } finally {
    await kafka.stop();
  }
  const [base = []] = found.values();
  for (const [variant, all] of found) {
    say(`\n${variant}: min / median / max, and the ratio to ${variants[0]} in the same run`);
    for (const name of Object.keys(all[0] ?? {})) {
      const ratios = all.map((figures, run) => (figures[name] ?? 0) / (base[run]?.[name] ?? 1));
      say(`${name}: ${spread(all.map((figures) => figures[name] ?? 0))}; ratio ${spread(ratios)}`);
    }
  }
}

const [first = '5', ...rest] = process.argv.slice(2);
if (first === 'run') {
  const [variant = '', brokers = ''] = rest;
  const [client = '', compression = 'none'] = variant.split(':');
  say(JSON.stringify(await runOnce(brokers.split(','), client, compression as Compression)));
  process.exit(0);
}
await compare(Number(first), rest.length > 0 ? rest : ['kafkajs', 'platformatic']);
