import { Refusal } from './errors.ts';
import type { MessageId, UserId } from './ids.ts';
import { isFile, type Message } from './message.ts';
import type { ConversationKey } from './place.ts';
import type { MessageDeleted, MessageModified } from './stored-event.ts';

/** A user's wish to delete a message. */
export interface DeletionRequest {
  readonly place: ConversationKey;
  readonly id: MessageId;
  readonly userId: UserId;
  readonly nonce: string | null;
}

/** A user's wish to edit a message. */
export interface EditRequest extends DeletionRequest {
  /** The new text. */
  readonly content: string;
}

/**
 * The event that edits a message.
 * @param target the message that the request names, as it stands now; undefined if it does not
 * exist in that place
 * @throws Refusal `message-not-found`, `not-the-author`, or `bad-input` for a file, which has no
 * text
 */
export function modification(target: Message | undefined, request: EditRequest): Omit<MessageModified, 'seq'> {
  const message = ownMessage(target, request);
  if (isFile(message)) {
    throw new Refusal('bad-input', `message ${message.id} is a file and has no text to edit; it can only be deleted`);
  }
  return { kind: 'modify', ...commonFields(message, request), content: request.content };
}

/**
 * The event that deletes a message.
 * @param target the message that the request names, as it stands now; undefined if it does not
 * exist in that place
 * @throws Refusal `message-not-found`, `not-the-author`
 */
export function deletion(target: Message | undefined, request: DeletionRequest): Omit<MessageDeleted, 'seq'> {
  return { kind: 'delete', ...commonFields(ownMessage(target, request), request) };
}

/**
 * The event by which an administrator deletes a message of any author. It is an event of the
 * author.
 * @param target the message, as it stands now; undefined if it does not exist in that place
 * @throws Refusal `message-not-found`
 */
export function deletionByAdmin(
  target: Message | undefined,
  request: Pick<DeletionRequest, 'place' | 'id'>,
): Omit<MessageDeleted, 'seq'> {
  return { kind: 'delete', ...commonFields(existing(target, request), { nonce: null }) };
}

function existing(target: Message | undefined, { place, id }: Pick<DeletionRequest, 'place' | 'id'>): Message {
  if (target === undefined) throw new Refusal('message-not-found', `there is no message ${id} in ${place}`);
  return target;
}

function ownMessage(target: Message | undefined, request: DeletionRequest): Message {
  const message = existing(target, request);
  if (message.userId !== request.userId) {
    throw new Refusal('not-the-author', `only the author of message ${message.id} may edit or delete it`);
  }
  return message;
}

function commonFields({ place, id, userId, time, communityId }: Message, { nonce }: Pick<DeletionRequest, 'nonce'>) {
  return { place, id, userId, time, communityId, nonce };
}
