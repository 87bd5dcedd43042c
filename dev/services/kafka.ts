import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './free-port.ts';
import { Kafka, logLevel } from './kafkajs.ts';
import { type LocalPlan, launch, lent, type ServicePlan } from './launch.ts';
import { jars, run } from './package-cache.ts';
import type { CommonOptions, RunningService } from './service.ts';

const VERSION = '4.1.0';
const IMAGE = `apache/kafka:${VERSION}`;
const ARTIFACTS = [`org.apache.kafka:kafka_2.13:${VERSION}`, 'org.slf4j:slf4j-simple:1.7.36'];

export interface RunningKafka extends RunningService {
  /** `['127.0.0.1:PORT']` */
  readonly brokers: readonly string[];
}

export interface KafkaOptions extends CommonOptions {
  /** Largest heap in MiB. Default: 384. */
  readonly heapMb?: number;
  /**
   * Broker settings besides the defaults, or instead of them, such as `{ 'message.max.bytes':
   * '2000000' }`.
   */
  readonly config?: Readonly<Record<string, string>>;
  /**
   * Address that the broker gives to clients, `host:port`, for a proxy in front. Default: its own.
   */
  readonly advertised?: string;
  /** Further listeners of a local broker on 127.0.0.1, besides the one without TLS. */
  readonly listeners?: readonly KafkaListener[];
  /** Further arguments of `StorageTool format`, such as `['--add-scram', '...']`. */
  readonly format?: readonly string[];
}

export interface KafkaListener {
  /** Capital letters. */
  readonly name: string;
  readonly protocol: 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';
  readonly port: number;
}

/**
 * Starts a Kafka of one node (KRaft). It creates no topics automatically.
 * @throws ServiceUnavailable
 */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  const given = process.env.TEST_KAFKA_BROKERS;
  if (given && !options.own) {
    const brokers = given.split(',').map((broker) => broker.trim());
    const running = await lent('Kafka', 'TEST_KAFKA_BROKERS', () => answers(brokers));
    return Object.assign(running, { brokers });
  }
  let brokers: string[] = [];
  const heap = `-Xmx${options.heapMb ?? 384}m`;
  const { running } = await launch(async (): Promise<ServicePlan> => {
    const [port = 0, controller = 0] = await freePorts(2);
    brokers = [`127.0.0.1:${port}`];
    const advertised = options.advertised ?? `127.0.0.1:${port}`;
    const config = {
      ...withListeners(brokerConfig(port, controller, advertised), options.listeners ?? []),
      ...(options.own === true ? {} : NEVER_KILLED),
      ...options.config,
    };
    return {
      name: 'Kafka',
      container: {
        image: IMAGE,
        port,
        env: {
          ...asEnvironment({ ...config, listeners: listeners('0.0.0.0', port, controller) }),
          KAFKA_HEAP_OPTS: heap,
        },
      },
      local: (folder) =>
        brokerCommand(folder, { config, clusterId: newClusterId(), heap, format: options.format ?? [] }),
      probe: () => answers(brokers),
    };
  });
  return Object.assign(running, { brokers });
}

export interface BrokerPlan {
  readonly config: Readonly<Record<string, string>>;
  readonly clusterId: string;
  /** Option of Java, such as `-Xmx320m`. */
  readonly heap: string;
  /** Further arguments of the storage tool. */
  readonly format: readonly string[];
}

/** An id with a dash at its beginning would be read as an option. */
export function newClusterId(): string {
  return `A${randomBytes(16).toString('base64url').slice(1)}`;
}

/**
 * Formats a broker's storage in `folder`, and resolves with the command that starts the broker.
 * @throws ServiceUnavailable
 */
export async function brokerCommand(
  folder: string,
  { config, clusterId, heap, format }: BrokerPlan,
): Promise<LocalPlan> {
  const classpath = ['-cp', join(await kafkaJars(), '*')];
  const [properties, data] = [join(folder, 'server.properties'), join(folder, 'data')];
  await mkdir(data);
  await writeFile(properties, asProperties({ ...config, 'log.dirs': data }));
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...format];
  await run('Kafka', 'java', [...quick, ...classpath, quiet, ...tool]);
  return { program: 'java', args: [heap, ...classpath, quiet, 'kafka.Kafka', properties] };
}

/** Resolves with the folder of Kafka's jars, and fetches them where needed. */
export function kafkaJars(): Promise<string> {
  return jars('Kafka', `kafka-${VERSION}`, ARTIFACTS);
}

function listeners(host: string, port: number, controller: number): string {
  return `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controller}`;
}

function brokerConfig(port: number, controller: number, advertised: string): Record<string, string> {
  return {
    ...COMMON_CONFIG,
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: listeners('127.0.0.1', port, controller),
    'advertised.listeners': `PLAINTEXT://${advertised}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  };
}

function withListeners(
  config: Readonly<Record<string, string>>,
  more: readonly KafkaListener[],
): Readonly<Record<string, string>> {
  const appended = (key: string, of: (listener: KafkaListener) => string) => [config[key], ...more.map(of)].join(',');
  const address = ({ name, port }: KafkaListener): string => `${name}://127.0.0.1:${port}`;
  return {
    ...config,
    listeners: appended('listeners', address),
    'advertised.listeners': appended('advertised.listeners', address),
    'listener.security.protocol.map': appended(
      'listener.security.protocol.map',
      ({ name, protocol }) => `${name}:${protocol}`,
    ),
  };
}

/** Settings of every broker for tests. */
export const COMMON_CONFIG: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  // The registration of a killed broker must expire before the broker can register again. A busy
  // machine needs some time, too: a broker that is late leads nothing for a while. Default: 9 s.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
  'auto.create.topics.enable': 'false',
  'log.retention.minutes': '30',
  'log.retention.bytes': '268435456',
  'log.segment.bytes': '67108864',
  // By default, the cleaner allocates 128 MB of the heap at its start.
  'log.cleaner.dedupe.buffer.size': '8388608',
};

/** Settings of a broker that no test kills: it may be late. */
const NEVER_KILLED: Readonly<Record<string, string>> = { 'broker.session.timeout.ms': '18000' };

function asProperties(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function asEnvironment(config: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(config).map(([key, value]) => [
    `KAFKA_${key.toUpperCase().replaceAll('.', '_')}`,
    value,
  ]);
  return Object.fromEntries(entries);
}

async function answers(brokers: readonly string[]): Promise<void> {
  const kafka = new Kafka({
    clientId: 'readiness',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}
