import type { Application, NewMessage, Stored } from '../../application/application.ts';
import type { Accepted, Caller, MaybePromise } from '../../application/commands.ts';
import { Refusal } from '../../domain/errors.ts';
import {
  type ConversationKey,
  channelKey,
  idOf,
  isChannel,
  parseConversationKey,
  roomKey,
} from '../../domain/place.ts';
import { parseWhereabouts } from '../../domain/whereabouts.ts';
import { accessToken } from '../transport/access-token.ts';
import { quoted } from '../transport/quoted.ts';
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
}

/** The command that a SEND became. Only stored events have a result. */
export type SendOutcome = MaybePromise<Accepted<Stored>> | MaybePromise<Accepted<void>>;
type Route = (application: Application, sender: Sender, body: Fields) => SendOutcome;

/** The destination for a new token of the same user. */
export const TOKEN_DESTINATION = '/kafka/token';

/**
 * All other destinations of SEND. Unknown body fields are ignored, for example a client's own `id`
 * or `time` of a new message.
 */
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/kafka/send-direct-message', (app, { caller }, body) => app.sendDirectMessage(caller, inRoom(body))],
  [
    '/kafka/send-direct-reply',
    (app, { caller }, body) => app.replyInRoom(caller, { ...inRoom(body), ...parent(body) }),
  ],
  ['/kafka/send-direct-modify', (app, { caller }, body) => app.modifyMessage(caller, modification(body, room(body)))],
  ['/kafka/send-direct-delete', (app, { caller }, body) => app.deleteMessage(caller, target(body, room(body)))],
  ['/kafka/send-direct-typing', (app, { caller }, body) => app.showTyping(caller, typing(body, room(body)))],
  ['/kafka/send-channel-message', (app, { caller }, body) => app.sendChannelMessage(caller, inChannel(body))],
  [
    '/kafka/send-channel-reply',
    (app, { caller }, body) => app.replyInChannel(caller, { ...inChannel(body), ...parent(body) }),
  ],
  [
    '/kafka/send-channel-modify',
    (app, { caller }, body) => app.modifyMessage(caller, modification(body, channel(body))),
  ],
  ['/kafka/send-channel-delete', (app, { caller }, body) => app.deleteMessage(caller, target(body, channel(body)))],
  ['/kafka/send-channel-typing', (app, { caller }, body) => app.showTyping(caller, typing(body, channel(body)))],
  [
    '/kafka/join-channel',
    (app, { caller, sessionId }, body) => app.moveToPlace(caller, { sessionId, whereabouts: whereabouts(body) }),
  ],
  [
    '/kafka/community-signaling',
    (app, { caller }, body) => app.showVoice(caller, { communityId: idField(body, 'community_id') }),
  ],
  [
    '/kafka/signaling',
    (app, { caller, sessionId }, body) => {
      const voice = { communityId: idField(body, 'community_id'), channelId: voiceChannel(body) };
      // The type was not read before `leave` was added. Any other type still enters.
      if (body.type === 'leave') return app.leaveVoiceChannel(caller, voice);
      return app.enterVoiceChannel(caller, { sessionId, ...voice });
    },
  ],
  [
    '/kafka/read',
    (app, { caller, sessionId }, body) =>
      app.markAsRead(caller, { sessionId, place: conversation(body), seq: seqField(body, 'seq') }),
  ],
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
  const route = ROUTES.get(destination);
  if (route === undefined) throw unknownDestination(destination);
  const fields = parseBody(body, maxDepth);
  checkUser(fields, sender.caller);
  return route(application, sender, fields);
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

function message(body: Fields): NewMessage {
  return {
    name: optionalTextField(body, 'name'),
    profileImage: optionalTextField(body, 'profileImage'),
    content: textField(body, 'content'),
    nonce: optionalTextField(body, 'nonce'),
  };
}

function inRoom(body: Fields) {
  return { roomId: idField(body, 'channelId'), ...message(body) };
}

function inChannel(body: Fields) {
  const communityId = idField(body, 'communityId');
  return { communityId, channelId: idField(body, 'channelId'), ...message(body) };
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

function target(body: Fields, key: ConversationKey) {
  const communityId = optionalIdField(body, 'communityId');
  return { place: key, id: messageIdField(body, 'id'), communityId, nonce: optionalTextField(body, 'nonce') };
}

function modification(body: Fields, key: ConversationKey) {
  return { ...target(body, key), content: textField(body, 'content') };
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
