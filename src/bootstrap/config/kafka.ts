import { DEFAULT_GROUPS, DEFAULT_TOPICS, type NamePerStream } from '../../adapters/kafka/topics.ts';
import { RECORD_STREAMS } from '../../adapters/records/record-stream.ts';
import { form, listOf } from './forms.ts';
import { defaulted, type Group, optional, type ValuesOf } from './variable.ts';

const BUS: Group = 'Message bus';

/** `host:port`. kafkajs accepts names and IPv4 addresses only. */
const broker = form('`host:port`', (text) => {
  const port = Number(/^[A-Za-z0-9._-]{1,253}:(\d{1,5})$/.exec(text)?.[1]);
  return port >= 1 && port <= 65_535 ? text : null;
});

const TOPIC = form('1 to 249 letters, digits, `.`, `_` and `-`', (text) =>
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(text) ? text : null,
);

/** The variables of the Kafka bus. */
export const KAFKA_VARIABLES = {
  KAFKA_BROKERS: optional(
    BUS,
    listOf(broker, '`host:port`, separated by commas'),
    'embedded bus',
    'brokers of Kafka, separated by commas',
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
}

type KafkaValues = ValuesOf<typeof KAFKA_VARIABLES>;

export function kafkaOf(values: KafkaValues): KafkaChoice {
  return { kind: 'kafka', brokers: values.KAFKA_BROKERS ?? [], topics: topicsOf(values), groups: groupsOf(values) };
}

/** The errors of variables that are valid each by itself. */
export function kafkaProblems(values: KafkaValues): string[] {
  return [...repeated('KAFKA_TOPIC', topicsOf(values)), ...repeated('KAFKA_GROUP', groupsOf(values))];
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
