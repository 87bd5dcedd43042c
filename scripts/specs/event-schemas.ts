import { codeSchema, FILE_FACTS } from './basic-schemas.ts';
import { ERROR_NUMBERS } from './errors.ts';
import { described, integer, list, nullable, object, optional, ref, type Schema, text } from './schema.ts';

const DIRECTION: Schema = { type: 'string', enum: ['out', 'in'] };
/** Stored events of an original server have no number. */
const NUMBER = {
  seq: optional(
    described(ref('Seq'), 'The number of the event. Missing in an event of an original server, which is only live.'),
  ),
  nonce: optional(ref('Nonce')),
};
const AUTHOR = {
  userId: described(ref('IdText'), 'The author.'),
  name: text('The name of the author.'),
  profileImage: nullable(text('The address of the picture of the author.')),
};

function type(name: string): Schema {
  return { type: 'string', const: name };
}

/** The bodies of MESSAGE frames. */
export const EVENT_SCHEMAS = {
  MessageEvent: object(
    {
      type: type('message'),
      id: ref('MessageId'),
      ...AUTHOR,
      message: text('The text; empty where the message was deleted since.'),
      time: ref('Time'),
      ...NUMBER,
    },
    { description: 'A new message.' },
  ),
  ReplyEvent: object(
    {
      type: type('reply'),
      id: ref('MessageId'),
      ...AUTHOR,
      message: text('The text; empty where the message was deleted since.'),
      time: ref('Time'),
      parentId: nullable(ref('MessageId')),
      parentName: text('The name of the author of the parent; empty for a deleted parent.'),
      parentContent: text('The text of the parent when the reply was sent.'),
      ...NUMBER,
    },
    { description: 'A new message that answers another one.' },
  ),
  ModifyEvent: object(
    {
      type: type('modify'),
      id: ref('MessageId'),
      userId: described(ref('IdText'), 'The author.'),
      message: text('The new text; empty where the message was deleted since.'),
      time: described(ref('Time'), 'The time of the message, not of the edit.'),
      ...NUMBER,
    },
    { description: 'A message has a new text.' },
  ),
  DeleteEvent: object(
    { type: type('delete'), id: ref('MessageId'), ...NUMBER },
    { description: 'A message was deleted.' },
  ),
  FileEvent: object(
    {
      type: { type: 'string', enum: ['direct', 'community'], description: '`direct` in a room.' },
      fileType: ref('FileType'),
      id: ref('MessageId'),
      ...AUTHOR,
      message: text('The link to the file; empty where the message was deleted since.'),
      thumbnail: nullable(text('The link to a small picture. An image without one has its own link here.')),
      channelId: described(ref('Id'), 'The room or channel.'),
      time: ref('Time'),
      ...FILE_FACTS,
      ...NUMBER,
    },
    { description: 'A shared file.' },
  ),
  TypingEvent: object({ type: type('typing'), name: text('The name of the user.') }, { description: 'A user types.' }),
  PresenceEvent: object(
    { type: { type: 'string', enum: ['connect', 'disconnect'] }, userId: ref('IdText') },
    { description: 'A user has a first session, or no session any more.' },
  ),
  VoiceEvent: {
    type: 'object',
    description: 'The users in the voice channels of a community, by channel: `{"11":["3","7"],"12":[]}`.',
    propertyNames: ref('IdText'),
    additionalProperties: list(ref('IdText')),
  },
  VoiceLeftEvent: object(
    {
      type: DIRECTION,
      communityId: ref('IdText'),
      channelId: text('The voice channel.', { pattern: '^c-[1-9][0-9]{0,15}$' }),
      ids: list(ref('IdText'), { description: 'The users in the channel now.' }),
    },
    { description: 'A user left (or entered) a voice channel.' },
  ),
  CallLeftEvent: object(
    {
      type: DIRECTION,
      channelId: described(ref('IdText'), 'The room.'),
      ids: list(ref('IdText'), { description: 'The users in the call now.' }),
    },
    { description: 'A user left (or entered) a call of a room.' },
  ),
  ResetEvent: object(
    { type: type('reset'), seq: ref('NewestSeq') },
    { description: 'The events after `last-seq` cannot be replayed. Read the history.' },
  ),
  RemovedEvent: object(
    { type: type('removed') },
    { description: 'The user was removed from the place, and the subscription has ended.' },
  ),
  RefusalEvent: object(
    {
      code: codeSchema(ERROR_NUMBERS),
      message: text('The reason, for developers.'),
      'receipt-id': optional(text('The `receipt` of the refused frame.')),
      subscription: optional(text('The `id` of the refused SUBSCRIBE.')),
      'retry-after-ms': optional(integer(0, 'With 2429: the same frame may be accepted after this time.')),
    },
    { description: 'A refused frame.' },
  ),
  PlacesEvent: object(
    { type: { type: 'string', enum: ['added', 'left'] }, place: ref('PlaceKey') },
    { description: 'The user is a member of the place now, or no longer.' },
  ),
  UnreadEvent: object(
    {
      type: type('unread'),
      place: ref('ConversationKey'),
      count: integer(0, 'The unread messages of others.'),
      seq: ref('NewestSeq'),
    },
    { description: 'Something new came to a place to which this connection is not subscribed.' },
  ),
  ReadEvent: object(
    { type: type('read'), place: ref('ConversationKey'), seq: ref('NewestSeq') },
    { description: 'The user has read the place up to this number, in another session.' },
  ),
} as const satisfies Record<string, Schema>;

export type EventName = keyof typeof EVENT_SCHEMAS;

/** A kind of place or queue to which a client subscribes. */
export interface SubscribeDestination {
  /** Name of the channel in the document. */
  readonly name: string;
  readonly address: string;
  readonly what: string;
  readonly who: string;
  /** Parameters of the address, each with its meaning. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly events: readonly EventName[];
}

const STORED: readonly EventName[] = ['MessageEvent', 'ReplyEvent', 'ModifyEvent', 'DeleteEvent', 'FileEvent'];

/** All destinations of SUBSCRIBE. */
export const SUBSCRIBE_DESTINATIONS: readonly SubscribeDestination[] = [
  {
    name: 'room',
    address: '/topic/direct/{roomId}',
    what: 'the events of a direct room',
    who: 'members of the room',
    parameters: { roomId: 'The id of the room.' },
    events: [...STORED, 'TypingEvent', 'PresenceEvent', 'CallLeftEvent', 'ResetEvent', 'RemovedEvent'],
  },
  {
    name: 'channel',
    address: '/topic/group/{channelId}',
    what: 'the events of a text channel',
    who: 'members of the channel, who are members of the community too',
    parameters: { channelId: 'The id of the channel.' },
    events: [...STORED, 'TypingEvent', 'ResetEvent', 'RemovedEvent'],
  },
  {
    name: 'community',
    address: '/topic/community/{communityId}',
    what: 'the users who come and go, and the users in voice channels',
    who: 'members of the community',
    parameters: { communityId: 'The id of the community.' },
    events: ['PresenceEvent', 'VoiceEvent', 'VoiceLeftEvent', 'RemovedEvent'],
  },
  {
    name: 'errors',
    address: '/user/queue/errors',
    what: "this connection's refused frames",
    who: 'every user',
    parameters: {},
    events: ['RefusalEvent'],
  },
  {
    name: 'events',
    address: '/user/queue/events',
    what: "the user's personal events: changes and unread messages of all their places",
    who: 'every user',
    parameters: {},
    events: ['PlacesEvent', 'UnreadEvent', 'ReadEvent'],
  },
];
