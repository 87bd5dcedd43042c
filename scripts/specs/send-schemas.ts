import type { RefusalCode } from '../../src/domain/errors.ts';
import { MAX_NAME_CHARS, MAX_PROFILE_IMAGE_CHARS } from '../../src/domain/message-rules.ts';
import { DIGITS } from './basic-schemas.ts';
import { described, integer, nullish, type Optional, object, optional, ref, type Schema, text } from './schema.ts';

/** The default of `LIMIT_CONTENT_CHARS`. */
const MAX_CONTENT_CHARS = 8_000;

const CONTENT = text(
  'The text. It must show something: white space and invisible characters alone are refused. ' +
    'The limit is `LIMIT_CONTENT_CHARS` (default 8,000).',
  { minLength: 1, maxLength: MAX_CONTENT_CHARS },
);
const USER = nullish(described(ref('ClientId'), 'The user of the token. Another user is refused with 2103.'));
const NONCE = nullish(ref('Nonce'));
const AUTHOR = {
  name: nullish(
    text('The name of the user. It is shown where no user service knows the user.', { maxLength: MAX_NAME_CHARS }),
  ),
  profileImage: nullish(
    text('The address of the picture of the user. It is shown where no user service is configured.', {
      maxLength: MAX_PROFILE_IMAGE_CHARS,
    }),
  ),
};
const ROOM = { channelId: described(ref('ClientId'), 'The room.') };
const CHANNEL = { channelId: described(ref('ClientId'), 'The channel.') };
const COMMUNITY = { communityId: described(ref('ClientId'), 'The community of the channel.') };
const MAYBE_COMMUNITY = {
  communityId: nullish(described(ref('ClientId'), 'The community of the channel. If it is given, it must be right.')),
};
const PARENT = { parentId: described(ref('GivenMessageId'), 'The message that the reply answers.') };
const NEW = { userId: USER, ...AUTHOR, content: CONTENT, nonce: NONCE };
const TARGET = { id: described(ref('GivenMessageId'), 'The message.'), userId: USER, nonce: NONCE };
const TYPIST = { content: text('The name of the user. It is cut after 200 characters.'), userId: USER };
const STATE_USER = {
  user_id: nullish(described(ref('ClientId'), 'The user of the token. Another user is refused with 2103.')),
};
const VOICE_CHANNEL = text('The voice channel.', { pattern: `^c-${DIGITS}$` });

/** A destination of SEND. */
export interface SendDestination {
  readonly address: string;
  /** Name of the operation and the message in the document. */
  readonly name: string;
  readonly what: string;
  readonly who: string;
  /** The use cases that handle it. None: the STOMP adapter itself does. */
  readonly useCases: readonly string[];
  readonly body: Schema;
  /** True: the RECEIPT has `seq` and `message-id`. */
  readonly isStored: boolean;
  /** The codes with which the command may be refused, those of any frame aside. */
  readonly refusals: readonly RefusalCode[];
  readonly example: object;
}

interface Entry {
  readonly what: string;
  readonly who: string;
  readonly useCases: readonly string[];
  readonly fields: Readonly<Record<string, Schema | Optional>>;
  readonly isStored?: boolean;
  /** Further codes of refusals. */
  readonly refusals?: readonly RefusalCode[];
  readonly example: object;
}

const REFUSALS: readonly RefusalCode[] = ['bad-input', 'not-permitted', 'too-fast', 'try-again', 'internal'];
const STORED_REFUSALS: readonly RefusalCode[] = ['too-large', 'store-failed'];

const ID = '6b033ecf859dd95009991b4f';

function entry(address: string, { fields, isStored = false, refusals = [], ...rest }: Entry): SendDestination {
  const name = address.replace(/^\/kafka\//, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const body = object(fields, { description: `The body of a SEND to \`${address}\`.` });
  const all = [...REFUSALS, ...(isStored ? STORED_REFUSALS : []), ...refusals];
  return { address, name, ...rest, body, isStored, refusals: all };
}

/** The destinations of messages in a kind of place. */
function conversation(kind: 'room' | 'channel'): SendDestination[] {
  const isRoom = kind === 'room';
  const prefix = `/kafka/send-${isRoom ? 'direct' : 'channel'}`;
  const place = isRoom ? ROOM : { ...COMMUNITY, ...CHANNEL };
  const known = isRoom ? { ...ROOM } : { ...CHANNEL, ...MAYBE_COMMUNITY };
  const who = `members of the ${kind}`;
  const at = isRoom ? { channelId: 5 } : { communityId: 1, channelId: 11 };
  const where = isRoom ? { channelId: 5 } : { channelId: 11 };
  return [
    entry(`${prefix}-message`, {
      what: `sends a message to a ${kind}`,
      who,
      useCases: [isRoom ? 'SendDirectMessage' : 'SendChannelMessage'],
      fields: { ...place, ...NEW },
      isStored: true,
      example: { ...at, userId: 1, name: 'Ada', profileImage: null, content: 'Hello', nonce: 'a-1' },
    }),
    entry(`${prefix}-reply`, {
      what: `answers a message in a ${kind}`,
      who,
      useCases: [isRoom ? 'ReplyInRoom' : 'ReplyInChannel'],
      fields: { ...place, ...NEW, ...PARENT },
      isStored: true,
      refusals: ['message-not-found'],
      example: { ...at, userId: 1, name: 'Ada', content: 'Hi!', parentId: ID, nonce: 'a-2' },
    }),
    entry(`${prefix}-modify`, {
      what: 'gives a message a new text',
      who: 'the author of the message',
      useCases: ['ModifyMessage'],
      fields: { ...known, ...TARGET, content: CONTENT },
      isStored: true,
      refusals: ['message-not-found', 'not-the-author'],
      example: { ...where, id: ID, content: 'Hello, Grace', nonce: 'a-3' },
    }),
    entry(`${prefix}-delete`, {
      what: 'deletes a message',
      who: 'the author of the message',
      useCases: ['DeleteMessage'],
      fields: { ...known, ...TARGET },
      isStored: true,
      refusals: ['message-not-found', 'not-the-author'],
      example: { ...where, id: ID, nonce: 'a-4' },
    }),
    entry(`${prefix}-typing`, {
      what: 'shows that the user types',
      who,
      useCases: ['ShowTyping'],
      fields: { ...known, ...TYPIST },
      example: { ...where, content: 'Ada' },
    }),
  ];
}

/** All destinations of SEND, in the order of the routes. */
export const SEND_TABLE: readonly SendDestination[] = [
  ...conversation('room'),
  ...conversation('channel'),
  entry('/kafka/join-channel', {
    what: 'says where the user looks now',
    who: 'members of the place; every user for `home`',
    useCases: ['MoveToPlace'],
    fields: {
      channel_id: text('`home`, a room or a channel.', { pattern: `^(?:home|[rc]-${DIGITS})$` }),
      ...STATE_USER,
    },
    example: { type: 'state', user_id: 1, channel_id: 'r-5' },
  }),
  entry('/kafka/community-signaling', {
    what: "asks for the users in a community's voice channels; the answer goes to the community's topic",
    who: 'members of the community',
    useCases: ['ShowVoice'],
    fields: { community_id: ref('ClientId'), ...STATE_USER },
    example: { type: 'before-enter', user_id: 1, community_id: 1 },
  }),
  entry('/kafka/signaling', {
    what: 'enters or leaves a voice channel',
    who: 'members of the community; to leave, every user',
    useCases: ['EnterVoiceChannel', 'LeaveVoiceChannel'],
    fields: {
      type: optional({
        description: '`leave`: the user left the channel. Any other value: the user entered it.',
        examples: ['enter', 'leave'],
      }),
      community_id: ref('ClientId'),
      channel_id: VOICE_CHANNEL,
      ...STATE_USER,
    },
    example: { type: 'enter', user_id: 1, community_id: 1, channel_id: 'c-21' },
  }),
  entry('/kafka/read', {
    what: 'says up to which number the user has read',
    who: 'members of the place',
    useCases: ['MarkAsRead'],
    fields: {
      place: ref('ConversationKey'),
      seq: {
        description: 'The number up to which the user has read, as a number or a decimal text.',
        anyOf: [
          integer(0, undefined, { maximum: Number.MAX_SAFE_INTEGER }),
          text(undefined, { pattern: `^(?:0|${DIGITS})$` }),
        ],
      },
      userId: USER,
    },
    example: { place: 'r-5', seq: 44 },
  }),
  entry('/kafka/token', {
    what: 'extends the session by a fresh token of the same user',
    who: 'the user of the session',
    useCases: [],
    refusals: ['no-token', 'bad-token'],
    fields: { token: text('The token, with or without `Bearer ` in front.') },
    example: { token: 'eyJhbGciOi...' },
  }),
];
