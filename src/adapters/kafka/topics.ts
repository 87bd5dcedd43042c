import type { RecordStream } from '../records/record-stream.ts';

/**
 * A name for each stream of records. Their variables end in the stream's name
 * (`KAFKA_TOPIC_DIRECT`, ...).
 */
export type NamePerStream = Readonly<Record<RecordStream, string>>;

/**
 * The names of the original server. Its channel messages go to `direct-topic`, its direct messages
 * to `chat-topic`.
 */
export const DEFAULT_TOPICS: NamePerStream = {
  DIRECT: 'chat-topic',
  CHANNEL: 'direct-topic',
  DIRECT_ETC: 'etc-direct-topic',
  CHANNEL_ETC: 'etc-community-topic',
  FILE: 'file-topic',
  STATE: 'state-topic',
};

/** Group names without the suffix `-{server id}`. */
export const DEFAULT_GROUPS: NamePerStream = {
  DIRECT: 'direct-server-group',
  CHANNEL: 'channel-server-group',
  DIRECT_ETC: 'direct-etc-server-group',
  CHANNEL_ETC: 'channel-etc-server-group',
  FILE: 'file-server-group',
  STATE: 'state-group',
};
