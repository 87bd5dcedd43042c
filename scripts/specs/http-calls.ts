import type { EndpointName } from '../../src/adapters/http/endpoints.ts';
import { MAX_NAME_CHARS, MAX_PROFILE_IMAGE_CHARS } from '../../src/domain/message-rules.ts';
import { DIGITS, placesSchema } from './basic-schemas.ts';
import { type Call, json, plain } from './call.ts';
import { wrapped } from './http-schemas.ts';
import { described, integer, list, type Optional, object, optional, ref, type Schema, text } from './schema.ts';
import { BODIES } from './zod-bodies.ts';

/** The default of `LIMIT_PAGE_SIZE`. */
const MAX_PAGE = 200;
/** The longest integer in a query. */
const COUNT: Schema = integer(0, undefined, { maximum: Number.MAX_SAFE_INTEGER });
const ID: Schema = described(ref('ClientId'), 'The id in the path or query.');

function history(place: string): Call {
  return {
    tag: 'reading',
    description:
      'Entries are oldest first. Give at most one of `page`, `before` and `after`. Pages by `before` and `after` do ' +
      'not shift while new messages come.',
    useCases: ['ReadHistory'],
    query: {
      ch_id: described(ID, `The ${place}.`),
      page: optional(
        described(COUNT, 'Page 0 has the newest messages. The default. `page` times `size` must be below 2^53.'),
      ),
      before: optional(described(COUNT, 'The newest messages with a number below this.')),
      after: optional(described(COUNT, 'The oldest messages with a number above this.')),
      size: optional(
        integer(1, 'Messages of a page. The limit is `LIMIT_PAGE_SIZE` (default 200).', {
          maximum: MAX_PAGE,
          default: 50,
        }),
      ),
    },
    answers: {
      200: json('The messages.', wrapped(list(ref('HistoryEntry'))), {
        'chat-seq': described(ref('NewestSeq'), 'The newest number of the place when the page was read.'),
      }),
    },
  };
}

/** An id in a form, where every value is a text. */
function formId(description: string): Schema {
  return text(description, { pattern: `^(?:${DIGITS}|Optional\\(${DIGITS}\\))$` });
}

function upload(place: 'room' | 'channel'): Call {
  const inRoom: Readonly<Record<string, Schema | Optional>> = {
    channelId: formId('The room.'),
    type: optional({ type: 'string', enum: ['direct'] }),
  };
  const inChannel: Readonly<Record<string, Schema | Optional>> = {
    channelId: formId('The channel; the room with `type: direct`.'),
    communityId: optional(formId('The community of the channel. Missing with `type: direct`.')),
    type: optional({
      type: 'string',
      enum: ['community', 'direct'],
      description: '`direct`: the file goes to the room `channelId`.',
    }),
  };
  const rule: Pick<Schema, 'anyOf'> = {
    anyOf: [
      { required: ['communityId'], properties: { type: { enum: ['community'] } } },
      { required: ['type'], properties: { type: { enum: ['direct'] } }, not: { required: ['communityId'] } },
    ],
  };
  const pixels = optional(
    text('In pixels, from 1 to 1,000,000. Empty, `null` and `undefined` count as missing.', {
      pattern: '^(?:null|undefined|0*(?:[1-9][0-9]{0,5}|1000000))?$',
    }),
  );
  return {
    tag: 'files',
    description: 'The fields come before the files, so that a caller who is not a member is refused early.',
    useCases: ['UploadFile'],
    body: {
      contentType: 'multipart/form-data',
      schema: object(
        {
          ...(place === 'room' ? inRoom : inChannel),
          fileType: ref('FileType'),
          userId: optional(formId('The user of the token.')),
          name: optional(text('The name of the user.', { maxLength: MAX_NAME_CHARS })),
          profileImage: optional(
            text('The address of the picture of the user.', { maxLength: MAX_PROFILE_IMAGE_CHARS }),
          ),
          nonce: optional(ref('Nonce')),
          width: pixels,
          height: pixels,
          image: text('The file.', { contentMediaType: 'application/octet-stream' }),
          thumbnail: optional(text('A small picture.', { contentMediaType: 'application/octet-stream' })),
        },
        place === 'room' ? {} : rule,
      ),
    },
    answers: { 200: json('The file is stored.', wrapped(ref('UploadedFile'))) },
  };
}

const SUCCESS = { 200: json('The call succeeded.', ref('Success')) };
const ANY_OBJECT: Schema = { type: 'object', description: 'The document.', additionalProperties: true };
const SPECIFICATION = {
  tag: 'operation',
  headers: { 'if-none-match': optional(text('The `etag` of the document that the caller has.')) },
  answers: {
    200: json('The document.', ANY_OBJECT, { etag: text() }),
    304: { description: 'The caller has this document already.' },
  },
};

/** All HTTP calls but those of the service API. A call that is missing here does not compile. */
export const HTTP_CALLS: Readonly<Record<EndpointName, Call>> = {
  roomHistory: history('room'),
  channelHistory: history('channel'),
  unread: {
    tag: 'reading',
    useCases: ['ShowUnread'],
    query: {
      places: placesSchema('[rc]', 'r-5,c-11'),
    },
    answers: {
      200: json(
        'The counts, in the order of the places.',
        wrapped(list({ anyOf: [ref('UnreadCount'), ref('RefusedPlace')] })),
      ),
    },
  },
  places: {
    tag: 'reading',
    useCases: ['ShowPlaces'],
    answers: {
      200: json(
        'The places.',
        wrapped(list({ oneOf: [ref('RoomPlace'), ref('CommunityPlace'), ref('ChannelPlace')] })),
      ),
    },
  },
  online: {
    tag: 'reading',
    description: 'Give `place` or `places`.',
    useCases: ['ShowOnline', 'ShowOnlineInPlaces'],
    query: {
      place: optional(ref('PlaceKey')),
      places: optional(placesSchema('(?:r|c|com)', 'r-5,com-1')),
    },
    answers: {
      200: json(
        'With `place`, the users. With `places`, the users of each place.',
        wrapped({ anyOf: [list(ref('IdText')), list({ anyOf: [ref('OnlineUsers'), ref('RefusedPlace')] })] }),
      ),
    },
  },
  uploadToRoom: upload('room'),
  uploadToChannel: upload('channel'),
  replaceRoomMembers: {
    tag: 'services',
    useCases: ['ReplaceMembers'],
    path: { id: described(ref('Id'), 'The room.') },
    body: { schema: BODIES.members, example: [1, 2, 3] },
    answers: SUCCESS,
  },
  replaceCommunityMembers: {
    tag: 'services',
    useCases: ['ReplaceMembers'],
    path: { id: described(ref('Id'), 'The community.') },
    body: { schema: BODIES.members, example: [1, 2, 3] },
    answers: SUCCESS,
  },
  messageCount: {
    tag: 'services',
    useCases: ['CountUnread'],
    body: { schema: BODIES.messageCount, example: { userId: 1, roomIds: [5, 6] } },
    answers: { 200: json('The counts, the room with the newest message first.', list(ref('MessageCount'))) },
  },
  voiceLeft: {
    tag: 'services',
    useCases: ['ReportVoiceLeft'],
    body: { schema: BODIES.voiceLeft, example: { type: 'out', communityId: '1', channelId: 'c-11', ids: ['3'] } },
    answers: SUCCESS,
  },
  callLeft: {
    tag: 'services',
    body: { schema: BODIES.callLeft, example: { type: 'out', channelId: '5', ids: ['3'] } },
    answers: SUCCESS,
  },
  file: {
    tag: 'files',
    description: 'The link stands in frames and in the history. It works without a token.',
    path: { key: text('The key of the file.') },
    query: { exp: text('The end of the link, in seconds since 1970.'), sig: text('The signature.') },
    headers: {
      range: optional(text('A range of bytes.')),
      'if-none-match': optional(text()),
      'if-range': optional(text()),
    },
    answers: {
      200: { description: 'The bytes of the file.', contentType: '*/*', headers: { etag: text() } },
      206: { description: 'A range of the bytes.', contentType: '*/*', headers: { 'content-range': text() } },
      304: { description: 'The caller has the file already.' },
      403: plain('The link has expired or is not valid.'),
      404: plain('The file does not exist.'),
      416: plain('The range is outside of the file.'),
    },
  },
  live: {
    tag: 'operation',
    answers: { 200: json('The process runs.', object({ live: { type: 'boolean', const: true } })) },
  },
  ready: {
    tag: 'operation',
    answers: {
      200: json('The server is ready.', ref('Health')),
      503: json('The server should get no clients now.', ref('Health')),
    },
  },
  metrics: { tag: 'operation', answers: { 200: plain('The metrics in the text format of Prometheus.') } },
  openapi: SPECIFICATION,
  asyncapi: SPECIFICATION,
  adminPage: {
    tag: 'operation',
    path: { path: text('The path of a file of the page; it may be empty.') },
    answers: {
      200: { description: 'A file of the page.', contentType: '*/*' },
      308: { description: 'The page is at `/admin/`.' },
      403: plain('`ADMIN_TOKENS` is not set.'),
      404: plain('There is no such file.'),
    },
  },
  demoToken: {
    tag: 'demo',
    body: { schema: BODIES.demoToken, example: { userId: 1 } },
    answers: { 200: json('A token of the user.', object({ token: text() })) },
  },
  demoWorld: { tag: 'demo', answers: { 200: json('The users and places.', ref('DemoWorld')) } },
  page: {
    tag: 'demo',
    path: { path: text('The path of a file of the page.') },
    answers: { 200: { description: 'A file of the page.', contentType: '*/*' }, 404: plain('There is no such file.') },
  },
};

/** The groups of calls in the document. */
export const TAGS: Readonly<Record<string, string>> = {
  reading: 'History, unread messages, places and who is online.',
  files: 'Shared files.',
  services: 'Calls of the other services of the application.',
  messages: 'Messages in the name of a user. For administrators.',
  moderation: 'Sessions, bans, mutes and slow mode. For administrators.',
  cluster: 'Sessions, places and servers over the whole cluster. For administrators.',
  data: 'Export and erasure of personal data, retention and jobs. For administrators.',
  operation: 'Health, metrics and specifications.',
  demo: 'Only while `DEMO` is on.',
  sockjs: 'The HTTP transports of SockJS. A SockJS client library makes these calls.',
};
