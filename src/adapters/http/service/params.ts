import type { Request } from 'express';
import { Refusal } from '../../../domain/errors.ts';
import { type MessageId, parseId, parseMessageId, type UserId } from '../../../domain/ids.ts';
import { type ConversationKey, type PlaceKey, parseConversationKey, parsePlaceKey } from '../../../domain/place.ts';
import { queryCount, queryText } from '../query.ts';

/** The user in the path. @throws Refusal `bad-input` */
export function userInPath(request: Request): UserId {
  const id = parseId(request.params.userId);
  if (id === null) throw new Refusal('bad-input', 'the user id in the path must be a positive integer');
  return id;
}

/** The message in the path. @throws Refusal `bad-input` */
export function messageInPath(request: Request): MessageId {
  const id = parseMessageId(request.params.id);
  if (id === null) throw new Refusal('bad-input', 'the message id in the path must be 24 hexadecimal digits');
  return id;
}

/** The room, channel or community in the path. @throws Refusal `bad-input` */
export function placeInPath(request: Request): PlaceKey {
  const place = parsePlaceKey(String(request.params.place));
  if (place === null) throw new Refusal('bad-input', 'the place in the path must be like r-5, c-11 or com-1');
  return place;
}

/** The room or channel in the path. @throws Refusal `bad-input` */
export function conversationInPath(request: Request): ConversationKey {
  const place = parseConversationKey(String(request.params.place));
  if (place === null) throw new Refusal('bad-input', 'the place in the path must be like r-5 or c-11');
  return place;
}

/**
 * The room or channel in the query; null when it is missing.
 * @throws Refusal `bad-input`
 */
export function conversationInQuery(request: Request): ConversationKey | null {
  const text = queryText(request, 'place');
  if (text === null) return null;
  const place = parseConversationKey(text);
  if (place === null) throw new Refusal('bad-input', 'place must be like r-5 or c-11');
  return place;
}

const DEFAULT_SIZE = 50;
const MAX_SIZE = 200;

/** The entries of a list, `size` in the query. @throws Refusal `bad-input` */
export function sizeInQuery(request: Request): number {
  const size = queryCount(request, 'size') ?? DEFAULT_SIZE;
  if (size < 1 || size > MAX_SIZE) throw new Refusal('bad-input', `size must be from 1 to ${MAX_SIZE}`);
  return size;
}
