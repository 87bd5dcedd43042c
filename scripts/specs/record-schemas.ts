import { RECORD_STREAMS, type RecordStream } from '../../src/adapters/records/index.ts';
import { DIGITS } from './basic-schemas.ts';
import { described, integer, list, nullable, object, optional, ref, type Schema, text } from './schema.ts';

const NULL: Schema = { type: 'null', description: 'Always null; a field of the original server.' };
const NONCE = nullable(ref('Nonce'));
const CHANNEL_FIELDS = { communityId: nullable(ref('Id')), categoryId: NULL };

/**
 * A record of a text message or of an edit. `fields` replaces those that are null in the others.
 */
function textRecord(place: 'room' | 'channel', description: string, fields: Readonly<Record<string, Schema>>): Schema {
  return object(
    {
      id: ref('MessageId'),
      ...(place === 'channel' ? CHANNEL_FIELDS : {}),
      channelId: described(ref('Id'), `The ${place}.`),
      userId: described(ref('Id'), 'The author.'),
      parentId: NULL,
      content: NULL,
      thumbnail: NULL,
      localDateTime: described(ref('Time'), 'The time of the message.'),
      read: NULL,
      type: NULL,
      name: NULL,
      profileImage: NULL,
      parentName: NULL,
      parentContent: NULL,
      nonce: NONCE,
      ...fields,
    },
    { description },
  );
}

const AUTHORED = { name: text('The name of the author.'), profileImage: nullable(text()) };
const CONTENT = text('The text.');

function messageRecord(place: 'room' | 'channel'): Schema {
  return textRecord(place, `A new message of a ${place}.`, { ...AUTHORED, content: CONTENT });
}

function etcRecord(place: 'room' | 'channel'): Schema {
  const type = (name: string): Record<string, Schema> => ({ type: { type: 'string', const: name } });
  const { nonce: _, ...typing } = textRecord(place, '', {}).properties ?? {};
  return {
    description: `A reply, edit, deletion or typing notice of a ${place}.`,
    oneOf: [
      textRecord(place, 'A reply.', {
        ...type('reply'),
        ...AUTHORED,
        content: CONTENT,
        parentId: ref('MessageId'),
        parentName: text(),
        parentContent: nullable(text('Null if the parent was deleted.')),
      }),
      textRecord(place, 'An edit.', { ...type('modify'), content: CONTENT }),
      textRecord(place, 'A deletion.', type('delete')),
      object(
        {
          ...typing,
          ...type('typing'),
          id: NULL,
          userId: NULL,
          localDateTime: NULL,
          ...(place === 'channel' ? { communityId: NULL } : {}),
          content: text('The name of the user.'),
        },
        { description: 'A typing notice.' },
      ),
    ],
  };
}

/** A record of the state topic. */
function stateRecord(description: string, fields: Readonly<Record<string, Schema>>): Schema {
  const blank = { typeForExit: NULL, userId: NULL, state: NULL, communityId: NULL, channelId: NULL, ids: NULL };
  return object({ ...blank, ...fields }, { description });
}

function named(...names: readonly string[]): Schema {
  return names.length === 1 ? { type: 'string', const: names[0] ?? '' } : { type: 'string', enum: names };
}

const DIRECTION = named('out', 'in');
const IDS = list(ref('IdText'));
const PART = optional(integer(1));
const SERVICE = {
  type: 'object',
  description: 'Fields for servers of this project only.',
  additionalProperties: true,
} as const;

/** The values of the records between servers, as this version writes them. */
export const RECORD_SCHEMAS = {
  DirectRecord: messageRecord('room'),
  ChannelRecord: messageRecord('channel'),
  DirectEtcRecord: etcRecord('room'),
  ChannelEtcRecord: etcRecord('channel'),
  FileRecord: object(
    {
      id: ref('MessageId'),
      name: text('The name of the author.'),
      profileImage: nullable(text()),
      message: text('The key of the file, or a whole URL.'),
      thumbnail: nullable(text('The key of the small picture, or a whole URL.')),
      userId: ref('IdText'),
      channelId: described(ref('Id'), 'The room or channel.'),
      type: named('direct', 'community'),
      fileType: ref('FileType'),
      time: ref('Time'),
      nonce: NONCE,
      communityId: nullable(ref('Id')),
      fileName: nullable(text()),
      fileSize: nullable(integer(0)),
      width: nullable(ref('Pixels')),
      height: nullable(ref('Pixels')),
    },
    { description: 'A shared file of a room or channel.' },
  ),
  StateRecord: {
    description: 'Presence, voice, and messages between servers. The field `type` tells them apart.',
    oneOf: [
      stateRecord('A user came or went.', {
        type: named('connect', 'disconnect'),
        userId: ref('IdText'),
        ids: list(text('A place of the user: `direct/5` or `community/1`.'), {}),
      }),
      stateRecord('The users in the voice channels of a community.', {
        type: named('enter'),
        state: text('JSON: channel id to a list of user ids.', { contentMediaType: 'application/json' }),
        communityId: ref('IdText'),
      }),
      stateRecord('A user left (or entered) a voice channel.', {
        type: named('exit-community'),
        typeForExit: DIRECTION,
        communityId: ref('IdText'),
        channelId: text(undefined, { pattern: `^c-${DIGITS}$` }),
        ids: IDS,
      }),
      stateRecord('A user left (or entered) a call.', {
        type: named('exit-direct'),
        typeForExit: DIRECTION,
        channelId: ref('IdText'),
        ids: IDS,
      }),
      stateRecord('A room or community has other members. One of `channelId` and `communityId` names it.', {
        type: named('members-changed'),
        channelId: nullable(text('The room.', { pattern: `^r-${DIGITS}$` })),
        communityId: nullable(ref('IdText')),
        ids: IDS,
      }),
      stateRecord('A user has read a place.', {
        type: named('read'),
        userId: ref('IdText'),
        channelId: ref('ConversationKey'),
        seq: ref('NewestSeq'),
      }),
      stateRecord('A server reports its sessions.', {
        type: named('roster'),
        roster: object({
          server: text(),
          epoch: integer(0),
          version: integer(0),
          what: named('hello', 'roster', 'delta', 'alive', 'bye'),
          joined: list(object({ sessionId: text(), userId: ref('Id') })),
          left: list(text()),
          part: PART,
          parts: PART,
        }),
      }),
      stateRecord('A call of the service API between servers.', {
        type: named('moderation-changed', 'question', 'answer'),
        service: SERVICE,
      }),
    ],
  },
} as const satisfies Record<string, Schema>;

/** A topic of Kafka. */
export interface Topic {
  readonly stream: RecordStream;
  /** The name by default, and the variable that changes it. */
  readonly topic: string;
  readonly variable: string;
  /** The consumer group by default. The id of the reading server follows it. */
  readonly group: string;
  readonly what: string;
  readonly value: keyof typeof RECORD_SCHEMAS;
  readonly keys: string;
  readonly isNumbered: boolean;
}

const TOPICS: Readonly<Record<RecordStream, Omit<Topic, 'stream' | 'variable'>>> = {
  DIRECT: {
    topic: 'chat-topic',
    group: 'direct-server-group',
    what: 'new messages of rooms',
    value: 'DirectRecord',
    keys: 'r-5',
    isNumbered: true,
  },
  CHANNEL: {
    topic: 'direct-topic',
    group: 'channel-server-group',
    what: 'new messages of channels',
    value: 'ChannelRecord',
    keys: 'c-11',
    isNumbered: true,
  },
  DIRECT_ETC: {
    topic: 'etc-direct-topic',
    group: 'direct-etc-server-group',
    what: 'replies, edits, deletions and typing notices of rooms',
    value: 'DirectEtcRecord',
    keys: 'r-5',
    isNumbered: true,
  },
  CHANNEL_ETC: {
    topic: 'etc-community-topic',
    group: 'channel-etc-server-group',
    what: 'replies, edits, deletions and typing notices of channels',
    value: 'ChannelEtcRecord',
    keys: 'c-11',
    isNumbered: true,
  },
  FILE: {
    topic: 'file-topic',
    group: 'file-server-group',
    what: 'shared files',
    value: 'FileRecord',
    keys: 'r-5, c-11',
    isNumbered: true,
  },
  STATE: {
    topic: 'state-topic',
    group: 'state-group',
    what: 'presence, voice, member lists, and messages between servers',
    value: 'StateRecord',
    keys: 'r-5, com-1, u-3, s-{server}',
    isNumbered: false,
  },
};

/** All topics. A stream of records that is missing does not compile. */
export const TOPIC_TABLE: readonly Topic[] = RECORD_STREAMS.map((stream) => ({
  stream,
  variable: `KAFKA_TOPIC_${stream}`,
  ...TOPICS[stream],
}));
