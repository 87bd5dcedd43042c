import type { Application, NewMessage, Stored } from '../../application/application.ts';
import type { Accepted, Caller, MaybePromise } from '../../application/commands.ts';
import { Refusal } from '../../domain/errors.ts';
import {
  type ConversationKey,
  channelKey,
  idOf,
  isChannel,
  type PlaceKey,
  parseConversationKey,
  roomKey,
} from '../../domain/place.ts';
import { parseWhereabouts } from '../../domain/whereabouts.ts';
import { accessToken } from '../transport/access-token.ts';
import { quoted } from '../transport/quoted.ts';
import type { ReceivedKind } from './counts.ts';
import {
  type Fields,
  idField,
  messageIdField,
  optionalIdField,
  optionalTextField,
  parseBody,
  seqField,
  textField,
} from './json-body.ts';

/** The sender of a SEND: the user of the token. */
export interface Sender {
  readonly caller: Caller;
  readonly sessionId: string;
  /** Monotonic time at which the SEND was read, in milliseconds. */
  readonly readAt: number;
}

/** The command that a SEND became. Only stored events have a result. */
export type SendOutcome = MaybePromise<Accepted<Stored>> | MaybePromise<Accepted<void>>;
type Run = (application: Application, sender: Sender, body: Fields) => SendOutcome;

interface Route {
  readonly kind: ReceivedKind;
  readonly run: Run;
}

/** The destination for a new token of the same user. */
export const TOKEN_DESTINATION = '/kafka/token';

/**
 * All other destinations of SEND. Unknown body fields are ignored, for example a client's own `id`
 * or `time` of a new message.
 */
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  route('send-direct-message', 'message', (app, sender, body) =>
    app.sendDirectMessage(sender.caller, inRoom(body, sender)),
  ),
  route('send-direct-reply', 'reply', (app, sender, body) =>
    app.replyInRoom(sender.caller, { ...inRoom(body, sender), ...parent(body) }),
  ),
  route('send-direct-modify', 'modify', (app, sender, body) =>
    app.modifyMessage(sender.caller, modification(body, room(body), sender)),
  ),
  route('send-direct-delete', 'delete', (app, sender, body) =>
    app.deleteMessage(sender.caller, target(body, room(body), sender)),
  ),
  route('send-direct-typing', 'typing', (app, { caller }, body) => app.showTyping(caller, typing(body, room(body)))),
  route('send-channel-message', 'message', (app, sender, body) =>
    app.sendChannelMessage(sender.caller, inChannel(body, sender)),
  ),
  route('send-channel-reply', 'reply', (app, sender, body) =>
    app.replyInChannel(sender.caller, { ...inChannel(body, sender), ...parent(body) }),
  ),
  route('send-channel-modify', 'modify', (app, sender, body) =>
    app.modifyMessage(sender.caller, modification(body, channel(body), sender)),
  ),
  route('send-channel-delete', 'delete', (app, sender, body) =>
    app.deleteMessage(sender.caller, target(body, channel(body), sender)),
  ),
  route('send-channel-typing', 'typing', (app, { caller }, body) =>
    app.showTyping(caller, typing(body, channel(body))),
  ),
  route('join-channel', 'place', (app, { caller, sessionId }, body) =>
    app.moveToPlace(caller, { sessionId, whereabouts: whereabouts(body) }),
  ),
  route('community-signaling', 'voice', (app, { caller }, body) =>
    app.showVoice(caller, { communityId: idField(body, 'community_id') }),
  ),
  route('signaling', 'voice', (app, { caller, sessionId }, body) => {
    const voice = { communityId: idField(body, 'community_id'), channelId: voiceChannel(body) };
    // The type was not read before `leave` was added. Any other type still enters.
    if (body.type === 'leave') return app.leaveVoiceChannel(caller, voice);
    return app.enterVoiceChannel(caller, { sessionId, ...voice });
  }),
  route('read', 'read', (app, { caller, sessionId }, body) =>
    app.markAsRead(caller, { sessionId, place: conversation(body), seq: seqField(body, 'seq') }),
  ),
]);

/** All destinations of SEND. */
export const SEND_DESTINATIONS: readonly string[] = [...ROUTES.keys(), TOKEN_DESTINATION];

/**
 * Runs the command of a SEND.
 * @param maxDepth objects and lists within each other in the JSON body
 * @throws (or rejects with) Refusal, among others `not-permitted` if the body names another user
 * than the token
 */
export function dispatch(
  application: Application,
  sender: Sender,
  destination: string,
  body: Buffer,
  maxDepth: number,
): SendOutcome {
  const found = ROUTES.get(destination);
  if (found === undefined) throw unknownDestination(destination);
  const fields = parseBody(body, maxDepth);
  checkUser(fields, sender.caller);
  return found.run(application, sender, fields);
}

/**
 * The place that a SEND names. Null if it names none, or if the frame is not valid. Never throws.
 */
export function placeOfSend(destination: string, body: Buffer, maxDepth: number): PlaceKey | null {
  try {
    const { channelId, channel_id, place } = parseBody(body, maxDepth);
    if (destination.startsWith('/kafka/send-direct-')) return parseConversationKey(`r-${channelId}`);
    if (destination.startsWith('/kafka/send-channel-')) return parseConversationKey(`c-${channelId}`);
    const text = destination === '/kafka/read' ? place : channel_id;
    return typeof text === 'string' ? parseConversationKey(text) : null;
  } catch {
    return null;
  }
}

function route(name: string, kind: ReceivedKind, run: Run): [string, Route] {
  return [`/kafka/${name}`, { kind, run }];
}

/** The kind under which a frame of a client is counted. */
export function receivedKind(command: string, headers: ReadonlyMap<string, string>): ReceivedKind {
  switch (command) {
    case 'SEND': {
      const destination = headers.get('destination') ?? '';
      if (destination === TOKEN_DESTINATION) return 'token';
      return ROUTES.get(destination)?.kind ?? 'unknown';
    }
    case 'CONNECT':
    case 'STOMP':
      return 'connect';
    case 'SUBSCRIBE':
      return 'subscribe';
    case 'UNSUBSCRIBE':
      return 'unsubscribe';
    case 'DISCONNECT':
      return 'disconnect';
    case 'ACK':
    case 'NACK':
      return 'ack';
    default:
      return 'unknown';
  }
}

/**
 * The token in the body of a SEND to {@link TOKEN_DESTINATION}; empty if the field is.
 * @throws Refusal `bad-input`
 */
export function newToken(body: Buffer, maxDepth: number): string {
  return accessToken(textField(parseBody(body, maxDepth), 'token')) ?? '';
}

function unknownDestination(destination: string): Refusal {
  if (destination.startsWith('/kafka/')) {
    return new Refusal('bad-input', `there is no destination ${quoted(destination)} to send to`);
  }
  return new Refusal('not-permitted', `clients cannot send to ${quoted(destination)}, only below /kafka/`);
}

function checkUser(fields: Fields, caller: Caller): void {
  for (const name of ['userId', 'user_id']) {
    const claimed = optionalIdField(fields, name);
    if (claimed !== null && claimed !== caller.userId) {
      throw new Refusal('not-permitted', `${name} is ${claimed}, but the token belongs to user ${caller.userId}`);
    }
  }
}

function message(body: Fields, { readAt }: Sender): NewMessage {
  return {
    readAt,
    name: optionalTextField(body, 'name'),
    profileImage: optionalTextField(body, 'profileImage'),
    content: textField(body, 'content'),
    nonce: optionalTextField(body, 'nonce'),
  };
}

function inRoom(body: Fields, sender: Sender) {
  return { roomId: idField(body, 'channelId'), ...message(body, sender) };
}

function inChannel(body: Fields, sender: Sender) {
  const communityId = idField(body, 'communityId');
  return { communityId, channelId: idField(body, 'channelId'), ...message(body, sender) };
}

function parent(body: Fields) {
  return { parentId: messageIdField(body, 'parentId') };
}

function room(body: Fields): ConversationKey {
  return roomKey(idField(body, 'channelId'));
}

function channel(body: Fields): ConversationKey {
  return channelKey(idField(body, 'channelId'));
}

function target(body: Fields, key: ConversationKey, { readAt }: Sender) {
  const communityId = optionalIdField(body, 'communityId');
  return { place: key, id: messageIdField(body, 'id'), communityId, nonce: optionalTextField(body, 'nonce'), readAt };
}

function modification(body: Fields, key: ConversationKey, sender: Sender) {
  return { ...target(body, key, sender), content: textField(body, 'content') };
}

function typing(body: Fields, key: ConversationKey) {
  return { place: key, communityId: optionalIdField(body, 'communityId'), name: textField(body, 'content') };
}

function whereabouts(body: Fields) {
  const read = parseWhereabouts(textField(body, 'channel_id'));
  if (read === null || read.kind === 'voice') {
    throw new Refusal('bad-input', 'channel_id must be home, r-{room} or c-{channel}');
  }
  return read;
}

function conversation(body: Fields): ConversationKey {
  const key = parseConversationKey(textField(body, 'place'));
  if (key === null) throw new Refusal('bad-input', 'place must be r-{room} or c-{channel}');
  return key;
}

function voiceChannel(body: Fields): number {
  const key = parseConversationKey(textField(body, 'channel_id'));
  if (key === null || !isChannel(key)) throw new Refusal('bad-input', 'channel_id must be c-{channel}');
  return idOf(key);
}
