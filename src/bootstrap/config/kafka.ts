import type { Compression } from '../../adapters/kafka/driver.ts';
import type { KafkaClient } from '../../adapters/kafka/load-driver.ts';
import type { SaslOptions } from '../../adapters/kafka/sasl.ts';
import { DEFAULT_GROUPS, DEFAULT_TOPICS, type NamePerStream } from '../../adapters/kafka/topics.ts';
import { RECORD_STREAMS } from '../../adapters/records/record-stream.ts';
import { isKeyOf, type TlsOptions } from '../../adapters/support/tls.ts';
import { hostName } from './addresses.ts';
import { form, listOf, oneOf, plainText, secretForm } from './forms.ts';
import { Hidden } from './hidden.ts';
import { pemCertificates, pemKey } from './pem.ts';
import { defaulted, type Group, optional, type ValuesOf } from './variable.ts';

const BUS: Group = 'Message bus';

/** `host:port`. IPv6 addresses keep their brackets. */
const broker = form('`host:port`', (text) => {
  const port = Number(/^(?:[A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})$/.exec(text)?.[1]);
  if (text.startsWith('[') && !URL.canParse(`http://${text}`)) return null;
  return port >= 1 && port <= 65_535 ? text : null;
});

const PASSWORD = secretForm('text', (text) => text);

const TOPIC = form('1 to 249 letters, digits, `.`, `_` and `-`', (text) =>
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(text) ? text : null,
);

/** The variables of the Kafka bus. */
export const KAFKA_VARIABLES = {
  KAFKA_BROKERS: optional(
    BUS,
    listOf(broker, '`host:port`, separated by commas'),
    'embedded bus',
    'brokers of Kafka, separated by commas; IPv6 addresses in brackets',
  ),
  KAFKA_CLIENT: defaulted(
    BUS,
    oneOf('kafkajs', 'platformatic'),
    'kafkajs',
    'client library for Kafka; `platformatic` is `@platformatic/kafka`',
  ),
  KAFKA_TLS: defaulted(BUS, oneOf('on', 'off'), 'off', 'TLS to the brokers'),
  KAFKA_TLS_CA: optional(
    BUS,
    pemCertificates,
    'the authorities of Node.js',
    'authorities that may sign the certificates of the brokers',
  ),
  KAFKA_TLS_CERT: optional(BUS, pemCertificates, 'none', 'certificate of this server for the brokers'),
  KAFKA_TLS_KEY: optional(BUS, pemKey, 'none', 'private key of `KAFKA_TLS_CERT`'),
  KAFKA_TLS_SERVER_NAME: optional(
    BUS,
    hostName,
    'the host of the broker',
    'name that the certificates of the brokers must hold',
  ),
  KAFKA_SASL: optional(
    BUS,
    oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
    'no authentication',
    'authentication at the brokers; needs `KAFKA_SASL_USER` and `KAFKA_SASL_PASSWORD`',
  ),
  KAFKA_SASL_USER: optional(BUS, plainText, 'none', 'user of `KAFKA_SASL`'),
  KAFKA_SASL_PASSWORD: optional(BUS, PASSWORD, 'none', 'password of `KAFKA_SASL_USER`'),
  KAFKA_COMPRESSION: defaulted(
    BUS,
    oneOf('none', 'gzip', 'zstd'),
    'none',
    'compression of the records that this server writes',
  ),
  KAFKA_TOPIC_DIRECT: defaulted(BUS, TOPIC, DEFAULT_TOPICS.DIRECT, 'topic of new direct messages'),
  KAFKA_TOPIC_CHANNEL: defaulted(BUS, TOPIC, DEFAULT_TOPICS.CHANNEL, 'topic of new channel messages'),
  KAFKA_TOPIC_DIRECT_ETC: defaulted(
    BUS,
    TOPIC,
    DEFAULT_TOPICS.DIRECT_ETC,
    'topic of replies, edits, deletions and typing in direct rooms',
  ),
  KAFKA_TOPIC_CHANNEL_ETC: defaulted(
    BUS,
    TOPIC,
    DEFAULT_TOPICS.CHANNEL_ETC,
    'topic of replies, edits, deletions and typing in channels',
  ),
  KAFKA_TOPIC_FILE: defaulted(BUS, TOPIC, DEFAULT_TOPICS.FILE, 'topic of uploaded files'),
  KAFKA_TOPIC_STATE: defaulted(
    BUS,
    TOPIC,
    DEFAULT_TOPICS.STATE,
    'topic of presence, voice, changed members and session reports',
  ),
  KAFKA_GROUP_DIRECT: defaulted(BUS, TOPIC, DEFAULT_GROUPS.DIRECT, 'group that reads the topic of the same name'),
  KAFKA_GROUP_CHANNEL: defaulted(BUS, TOPIC, DEFAULT_GROUPS.CHANNEL, 'the same'),
  KAFKA_GROUP_DIRECT_ETC: defaulted(BUS, TOPIC, DEFAULT_GROUPS.DIRECT_ETC, 'the same'),
  KAFKA_GROUP_CHANNEL_ETC: defaulted(BUS, TOPIC, DEFAULT_GROUPS.CHANNEL_ETC, 'the same'),
  KAFKA_GROUP_FILE: defaulted(BUS, TOPIC, DEFAULT_GROUPS.FILE, 'the same'),
  KAFKA_GROUP_STATE: defaulted(BUS, TOPIC, DEFAULT_GROUPS.STATE, 'the same'),
};

export interface KafkaChoice {
  readonly kind: 'kafka';
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly topics: NamePerStream;
  /** Without the suffix of the server. */
  readonly groups: NamePerStream;
  /** The client library. */
  readonly client: KafkaClient;
  /** Of the records that this server writes. */
  readonly compression: Compression;
  readonly security: Hidden<KafkaSecurity>;
}

/** How the brokers and this server know each other. */
export interface KafkaSecurity {
  /** Null without TLS. */
  readonly tls: TlsOptions | null;
  /** Null without authentication. */
  readonly sasl: SaslOptions | null;
}

type KafkaValues = ValuesOf<typeof KAFKA_VARIABLES>;

export function kafkaOf(values: KafkaValues): KafkaChoice {
  return {
    kind: 'kafka',
    brokers: values.KAFKA_BROKERS ?? [],
    topics: topicsOf(values),
    groups: groupsOf(values),
    client: values.KAFKA_CLIENT,
    compression: values.KAFKA_COMPRESSION,
    security: new Hidden(
      { tls: tlsOf(values), sasl: saslOf(values) },
      `TLS ${values.KAFKA_TLS}, SASL ${values.KAFKA_SASL ?? 'off'}`,
    ),
  };
}

function tlsOf(values: KafkaValues): TlsOptions | null {
  if (values.KAFKA_TLS === 'off') return null;
  const { KAFKA_TLS_CA: ca, KAFKA_TLS_CERT: cert, KAFKA_TLS_KEY: key, KAFKA_TLS_SERVER_NAME: serverName } = values;
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(serverName === null ? {} : { serverName }),
  };
}

function saslOf({ KAFKA_SASL, KAFKA_SASL_USER, KAFKA_SASL_PASSWORD }: KafkaValues): SaslOptions | null {
  if (KAFKA_SASL === null) return null;
  return { mechanism: KAFKA_SASL, username: KAFKA_SASL_USER ?? '', password: KAFKA_SASL_PASSWORD ?? '' };
}

/** The errors of variables that are valid each by itself. */
export function kafkaProblems(values: KafkaValues, given: ReadonlySet<string>): string[] {
  return [
    ...repeated('KAFKA_TOPIC', topicsOf(values)),
    ...repeated('KAFKA_GROUP', groupsOf(values)),
    ...tlsProblems(values, given),
    ...saslProblems(given),
  ];
}

function tlsProblems(values: KafkaValues, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const parts = ['KAFKA_TLS_CA', 'KAFKA_TLS_CERT', 'KAFKA_TLS_KEY', 'KAFKA_TLS_SERVER_NAME'];
  if (values.KAFKA_TLS === 'off') {
    for (const name of parts) if (given.has(name)) problems.push(`${name} needs KAFKA_TLS=on`);
  }
  const { KAFKA_TLS_CERT: cert, KAFKA_TLS_KEY: key } = values;
  if (given.has('KAFKA_TLS_CERT') && !given.has('KAFKA_TLS_KEY')) {
    problems.push('KAFKA_TLS_KEY is missing; KAFKA_TLS_CERT needs it');
  }
  if (given.has('KAFKA_TLS_KEY') && !given.has('KAFKA_TLS_CERT')) {
    problems.push('KAFKA_TLS_CERT is missing; KAFKA_TLS_KEY needs it');
  }
  if (cert !== null && key !== null && !isKeyOf(key, cert)) {
    problems.push('KAFKA_TLS_KEY is not the key of KAFKA_TLS_CERT');
  }
  return problems;
}

function saslProblems(given: ReadonlySet<string>): string[] {
  const parts = ['KAFKA_SASL_USER', 'KAFKA_SASL_PASSWORD'];
  if (!given.has('KAFKA_SASL'))
    return parts.filter((name) => given.has(name)).map((name) => `${name} needs KAFKA_SASL`);
  return parts.filter((name) => !given.has(name)).map((name) => `${name} is missing; KAFKA_SASL needs it`);
}

function topicsOf(values: KafkaValues): NamePerStream {
  return {
    DIRECT: values.KAFKA_TOPIC_DIRECT,
    CHANNEL: values.KAFKA_TOPIC_CHANNEL,
    DIRECT_ETC: values.KAFKA_TOPIC_DIRECT_ETC,
    CHANNEL_ETC: values.KAFKA_TOPIC_CHANNEL_ETC,
    FILE: values.KAFKA_TOPIC_FILE,
    STATE: values.KAFKA_TOPIC_STATE,
  };
}

function groupsOf(values: KafkaValues): NamePerStream {
  return {
    DIRECT: values.KAFKA_GROUP_DIRECT,
    CHANNEL: values.KAFKA_GROUP_CHANNEL,
    DIRECT_ETC: values.KAFKA_GROUP_DIRECT_ETC,
    CHANNEL_ETC: values.KAFKA_GROUP_CHANNEL_ETC,
    FILE: values.KAFKA_GROUP_FILE,
    STATE: values.KAFKA_GROUP_STATE,
  };
}

function repeated(prefix: 'KAFKA_TOPIC' | 'KAFKA_GROUP', names: NamePerStream): string[] {
  const first = new Map<string, string>();
  return RECORD_STREAMS.flatMap((stream) => {
    const name = names[stream];
    const earlier = first.get(name);
    first.set(name, earlier ?? stream);
    return earlier === undefined ? [] : [`${prefix}_${stream} must differ from ${prefix}_${earlier}, which is ${name}`];
  });
}
