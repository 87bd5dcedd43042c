import { type ChatEvent, type Draft, isStored } from '../../domain/chat-event.ts';
import { isChannel } from '../../domain/conversation.ts';

/** The six streams of records, named as their configuration is (`KAFKA_TOPIC_DIRECT`, ...). */
export const TOPIC_KINDS = ['DIRECT', 'CHANNEL', 'DIRECT_ETC', 'CHANNEL_ETC', 'FILE', 'STATE'] as const;

export type TopicKind = (typeof TOPIC_KINDS)[number];

export type NamePerTopic = Readonly<Record<TopicKind, string>>;

export const DEFAULT_TOPICS: NamePerTopic = {
  DIRECT: 'chat-topic',
  CHANNEL: 'direct-topic',
  DIRECT_ETC: 'etc-direct-topic',
  CHANNEL_ETC: 'etc-community-topic',
  FILE: 'file-topic',
  STATE: 'state-topic',
};

/** Group names before the server's own suffix. */
export const DEFAULT_GROUPS: NamePerTopic = {
  DIRECT: 'direct-server-group',
  CHANNEL: 'channel-server-group',
  DIRECT_ETC: 'direct-etc-server-group',
  CHANNEL_ETC: 'channel-etc-server-group',
  FILE: 'file-server-group',
  STATE: 'state-group',
};

/** New messages and files have streams of their own; what changes or accompanies messages goes to the ETC ones, the rest is state. */
export function topicKindOf(event: ChatEvent): TopicKind {
  if (event.kind === 'foreign') return topicKindOfMessage(event.event);
  if (isStored(event)) return topicKindOfMessage(event);
  if (event.kind === 'typing') return isChannel(event.place) ? 'CHANNEL_ETC' : 'DIRECT_ETC';
  return 'STATE';
}

function topicKindOfMessage(event: Draft): TopicKind {
  switch (event.kind) {
    case 'message':
      return isChannel(event.place) ? 'CHANNEL' : 'DIRECT';
    case 'file':
      return 'FILE';
    case 'reply':
    case 'modify':
    case 'delete':
      return isChannel(event.place) ? 'CHANNEL_ETC' : 'DIRECT_ETC';
  }
}
