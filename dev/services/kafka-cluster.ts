import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultProxy } from '../fault-proxy.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { freePort, freePorts } from './free-port.ts';
import { brokerCommand, COMMON_CONFIG, newClusterId } from './kafka.ts';
import { Kafka, type KafkaConfig, logLevel } from './kafkajs.ts';
import { launch } from './launch.ts';
import type { RunningService } from './service.ts';

export interface KafkaClusterOptions {
  /** Number of brokers; each is a controller too. Default: 3. */
  readonly brokers?: number;
  /** Largest heap of each broker in MiB. Default: 320. */
  readonly heapMb?: number;
  /** Protocol of the clients' listener. Default: plaintext. */
  readonly security?: 'plaintext' | 'ssl' | 'sasl-ssl';
  /** true: clients must show a certificate of the authority. Default: false. */
  readonly mutualTls?: boolean;
  /** Certificate that the brokers show. Default: server. */
  readonly certificate?: 'server' | 'expired' | 'wrongName';
  /** Default: 2, or 1 with fewer than three brokers. */
  readonly minInsyncReplicas?: number;
  /** true: a proxy is in front of each broker, for its clients only. Default: false. */
  readonly proxied?: boolean;
  /** true: clients reach the last broker on `[::1]`. Only with plaintext. Default: false. */
  readonly ipv6?: boolean;
  /** Settings of each broker besides the defaults, or instead of them. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Kafka brokers as processes from packages, also where a Docker engine runs. */
export interface RunningKafkaCluster {
  /** `['127.0.0.1:PORT', ...]` of all brokers, as they were at the start. */
  readonly brokers: readonly string[];
  /** The same brokers on their listeners for each other, without TLS and login. For test tools. */
  readonly internalBrokers: readonly string[];
  /** The brokers one by one, in the same order. `restart` keeps port and data. */
  readonly members: readonly RunningService[];
  /** In front of the brokers, in the same order. Empty unless `proxied` is set. */
  readonly proxies: readonly FaultProxy[];
  /** null with plaintext. */
  readonly certificates: Certificates | null;
  /** User for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly user: { readonly username: string; readonly password: string };
  /** Settings of kafkajs with which a client is let in. */
  readonly clientConfig: KafkaConfig;
  /** Kills a broker and starts it again with another port for clients. */
  move(index: number): Promise<void>;
  /** Ends all brokers and removes their data. Idempotent. */
  stop(): Promise<void>;
}

const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const PROTOCOLS = { plaintext: 'PLAINTEXT', ssl: 'SSL', 'sasl-ssl': 'SASL_SSL' } as const;

/**
 * Starts a Kafka cluster of combined nodes (KRaft). It creates no topics automatically.
 * @throws ServiceUnavailable
 */
export async function startKafkaCluster(options: KafkaClusterOptions = {}): Promise<RunningKafkaCluster> {
  const { brokers: count = 3, heapMb = 320, security = 'plaintext', mutualTls = false } = options;
  const replicas = Math.min(count, 3);
  const minInsync = options.minInsyncReplicas ?? (count < 3 ? 1 : 2);
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-kafka-cluster-'));
  const user = { username: 'chat', password: randomBytes(12).toString('hex') };
  const running: RunningService[] = [];
  const proxies: FaultProxy[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      await Promise.all([...running, ...proxies].map((one) => one.stop()));
      await rm(folder, { recursive: true, force: true });
    })();
    return stopping;
  };
  try {
    const certificates = security === 'plaintext' ? null : await makeCertificates(folder);
    const ports = await freePorts(3 * count);
    const nodes = Array.from({ length: count }, (_, i) => ({
      id: i + 1,
      client: ports[3 * i] ?? 0,
      internal: ports[3 * i + 1] ?? 0,
      controller: ports[3 * i + 2] ?? 0,
    }));
    if (options.proxied === true) {
      for (const { client } of nodes) proxies.push(await FaultProxy.start({ target: client }));
    }
    const hostOf = (index: number) => (options.ipv6 === true && index === count - 1 ? '[::1]' : '127.0.0.1');
    const addressOf = (index: number) => `${hostOf(index)}:${proxies[index]?.port ?? nodes[index]?.client}`;
    const brokers = nodes.map((_, index) => addressOf(index));
    const internalBrokers = nodes.map(({ internal }) => `127.0.0.1:${internal}`);
    // kafkajs itself takes no IPv6 address.
    const forTools = options.ipv6 === true ? internalBrokers : brokers;
    const clientConfig = await clientConfigOf(forTools, security, mutualTls, certificates, user);
    const common: Record<string, string> = {
      ...COMMON_CONFIG,
      'controller.quorum.voters': nodes.map(({ id, controller }) => `${id}@127.0.0.1:${controller}`).join(),
      'listener.security.protocol.map': `CLIENT:${PROTOCOLS[security]},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
      'inter.broker.listener.name': 'INTERNAL',
      'default.replication.factor': String(replicas),
      'min.insync.replicas': String(minInsync),
      'offsets.topic.replication.factor': String(replicas),
      'transaction.state.log.replication.factor': String(replicas),
      'transaction.state.log.min.isr': String(minInsync),
      'replica.lag.time.max.ms': '3000',
      ...(certificates === null ? {} : tlsConfig(certificates, options.certificate ?? 'server', mutualTls)),
      ...(security === 'sasl-ssl' ? saslConfig(user) : {}),
      ...options.config,
    };
    const clusterId = newClusterId();
    const scram = MECHANISMS.flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${user.username},password=${user.password}]`,
    ]);
    const folders: string[] = [];
    const starting = nodes.map(async (node, index) => {
      const { id, internal, controller } = node;
      const internalListener = `INTERNAL://127.0.0.1:${internal}`;
      const started = await launch(async () => ({
        name: 'Kafka',
        local: (own) => {
          folders[index] = own;
          return brokerCommand(own, {
            config: {
              ...common,
              'node.id': String(id),
              listeners: `CLIENT://${hostOf(index)}:${node.client},${internalListener},CONTROLLER://127.0.0.1:${controller}`,
              'advertised.listeners': `CLIENT://${addressOf(index)},${internalListener}`,
            },
            clusterId,
            heap: `-Xmx${heapMb}m`,
            format: scram,
          });
        },
        probe: () =>
          probe(
            { ...clientConfig, brokers: [options.ipv6 === true ? `127.0.0.1:${internal}` : addressOf(index)] },
            options.certificate ?? 'server',
            count,
          ),
      }));
      running.push(started.running);
      return started.running;
    });
    await Promise.allSettled(starting);
    const members = await Promise.all(starting);
    const move = async (index: number) => {
      const [node, folder, port] = [nodes[index], folders[index], await freePort()];
      if (node === undefined || folder === undefined) throw new Error(`there is no broker ${index}`);
      const path = join(folder, 'server.properties');
      const text = await readFile(path, 'utf8');
      await members[index]?.kill();
      await writeFile(path, text.replaceAll(`CLIENT://${addressOf(index)}`, `CLIENT://${hostOf(index)}:${port}`));
      node.client = port;
      await members[index]?.restart();
    };
    return { brokers, internalBrokers, members, proxies, move, certificates, user, clientConfig, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function clientConfigOf(
  brokers: readonly string[],
  security: NonNullable<KafkaClusterOptions['security']>,
  mutualTls: boolean,
  certificates: Certificates | null,
  user: RunningKafkaCluster['user'],
): Promise<KafkaConfig> {
  const config: KafkaConfig = { brokers: [...brokers], logLevel: logLevel.NOTHING };
  if (certificates === null) return config;
  const own = mutualTls ? { cert: certificates.client.cert, key: certificates.client.key } : {};
  config.ssl = { ca: [certificates.ca.cert], ...own };
  if (security === 'sasl-ssl') config.sasl = { mechanism: 'scram-sha-512', ...user };
  return config;
}

function tlsConfig(
  certificates: Certificates,
  shown: NonNullable<KafkaClusterOptions['certificate']>,
  mutualTls: boolean,
): Record<string, string> {
  return {
    'listener.name.client.ssl.keystore.type': 'PEM',
    'listener.name.client.ssl.keystore.location': certificates[shown].bothPath,
    'listener.name.client.ssl.truststore.type': 'PEM',
    'listener.name.client.ssl.truststore.location': certificates.ca.certPath,
    'listener.name.client.ssl.client.auth': mutualTls ? 'required' : 'none',
  };
}

function saslConfig({ username, password }: RunningKafkaCluster['user']): Record<string, string> {
  const security = 'org.apache.kafka.common.security';
  const scram = MECHANISMS.map((mechanism) => [
    `listener.name.client.${mechanism.toLowerCase()}.sasl.jaas.config`,
    `${security}.scram.ScramLoginModule required;`,
  ]);
  return {
    'listener.name.client.sasl.enabled.mechanisms': ['PLAIN', ...MECHANISMS].join(),
    'listener.name.client.plain.sasl.jaas.config': `${security}.plain.PlainLoginModule required user_${username}="${password}";`,
    ...Object.fromEntries(scram),
  };
}

/** Throws until the broker answers and knows a controller and another broker. */
async function probe(
  config: KafkaConfig,
  shown: NonNullable<KafkaClusterOptions['certificate']>,
  count: number,
): Promise<void> {
  // Clients refuse the other certificates, so this probe must not check them.
  const ssl =
    typeof config.ssl === 'object' && shown !== 'server' ? { ...config.ssl, rejectUnauthorized: false } : config.ssl;
  const kafka = new Kafka({
    ...config,
    ...(ssl === undefined ? {} : { ssl }),
    clientId: 'readiness',
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    if (controller === null || brokers.length < Math.min(count, 2)) throw new Error('the cluster is not complete');
  } finally {
    await admin.disconnect();
  }
}
