import { codeSchema, FILE_FACTS, HEALTH } from './basic-schemas.ts';
import { ERROR_NUMBERS } from './errors.ts';
import { described, integer, list, nullable, object, optional, ref, type Schema, text } from './schema.ts';

const RETRY = {
  'retry-after-ms': optional(integer(0, 'With 2429: the same request may succeed after this time.')),
};

/** The wrapper of an answer. @param result null: the answer has no data */
export function wrapped(result: Schema | null): Schema {
  return object({
    isSuccess: { type: 'boolean', const: true },
    code: { type: 'integer', const: 1000 },
    message: text(),
    ...(result === null ? {} : { result }),
  });
}

/** The schemas of the answers of HTTP calls without the service API. */
export const HTTP_SCHEMAS = {
  Refusal: object(
    {
      isSuccess: { type: 'boolean', const: false },
      code: codeSchema(ERROR_NUMBERS),
      message: text('The reason, for developers.'),
      ...RETRY,
    },
    { description: 'A refused call.' },
  ),
  ServiceRefusal: object(
    { code: codeSchema(ERROR_NUMBERS), message: text('The reason, for developers.'), ...RETRY },
    { description: 'A refused call of the service API.' },
  ),
  Success: described(wrapped(null), 'The call succeeded.'),
  HistoryEntry: object(
    {
      id: ref('MessageId'),
      name: text('The name of the author.'),
      profileImage: nullable(text('The address of the picture of the author.')),
      userId: described(integer(0), 'The author; 0 for a user who was anonymised.'),
      message: text('The text, or the link to the file.'),
      thumbnail: nullable(text('The link to a small picture.')),
      fileType: {
        description: 'Null for a plain message.',
        anyOf: [{ type: 'string', enum: ['reply', 'image', 'video', 'file'] }, { type: 'null' }],
      },
      type: { type: 'null', description: 'Always null.' },
      time: ref('Time'),
      parentId: nullable(described(ref('MessageId'), 'Null unless this is a reply to a message that exists.')),
      parentName: nullable(text('Empty for a deleted parent.')),
      parentContent: nullable(text('The parent as it is now.')),
      seq: nullable(
        described(ref('Seq'), 'The number of the event that created the message; null for one of an original server.'),
      ),
      edited: { type: 'boolean' },
      nonce: nullable(ref('Nonce')),
      ...FILE_FACTS,
    },
    { description: 'A message as it is now.' },
  ),
  RefusedPlace: object(
    { place: ref('PlaceKey'), code: codeSchema(ERROR_NUMBERS) },
    { description: 'A place that the caller may not read.' },
  ),
  UnreadCount: object({
    place: ref('ConversationKey'),
    count: integer(0, 'The unread messages of others.'),
    seq: ref('NewestSeq'),
  }),
  OnlineUsers: object({
    place: ref('PlaceKey'),
    users: list(ref('IdText'), { description: 'The members who have a session.' }),
  }),
  RoomPlace: object({
    place: ref('ConversationKey'),
    kind: { type: 'string', const: 'room' },
    name: { type: 'null' },
    members: nullable(list(ref('Id'), { description: 'Null while the community service does not answer.' })),
  }),
  CommunityPlace: object({
    place: ref('PlaceKey'),
    kind: { type: 'string', const: 'community' },
    name: { type: 'null' },
  }),
  ChannelPlace: object({
    place: ref('ConversationKey'),
    kind: { type: 'string', const: 'channel' },
    communityId: nullable(ref('Id')),
    name: nullable(text('Null where the community service does not tell it.')),
    public: { type: 'boolean', description: 'True: the whole community may read it.' },
  }),
  UploadedFile: object({ id: ref('MessageId'), seq: ref('Seq'), message: text('The link to the file.') }),
  MessageCount: object({
    roomId: ref('Id'),
    count: integer(0, 'The unread messages of others.'),
    localDateTime: nullable(text('The time of the newest message, as digits.', { pattern: '^\\d{17}$' })),
  }),
  Health: HEALTH,
  DemoWorld: object({
    users: list(object({ id: ref('Id'), name: text(), image: nullable(text()) })),
    rooms: list(object({ id: ref('Id'), members: list(ref('Id')) })),
    communities: list(
      object({
        id: ref('Id'),
        name: nullable(text('Null if it has none.')),
        members: list(ref('Id')),
        channels: list(
          object({
            id: ref('Id'),
            name: nullable(text('Null if it has none.')),
            members: nullable(list(ref('Id'), { description: 'Null: the whole community may read it.' })),
          }),
        ),
      }),
    ),
  }),
  SockJsInfo: object({
    websocket: { type: 'boolean', description: 'False: WebSockets are off.' },
    origins: list(text()),
    cookie_needed: { type: 'boolean', description: 'True: a load balancer needs the cookie `JSESSIONID`.' },
    entropy: integer(0),
  }),
} as const satisfies Record<string, Schema>;
