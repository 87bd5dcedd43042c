import { Refusal } from './errors.ts';
import type { UserId } from './ids.ts';
import { isFile, type Message } from './message.ts';
import type { MessageDeleted, MessageModified } from './stored-event.ts';

/**
 * The edit of a message by `userId`.
 * @throws Refusal `message-not-found`, `not-the-author`, `bad-input` for a file, which has no text
 */
export function modification(
  target: Message | undefined,
  userId: UserId,
  content: string,
  nonce: string | null,
): Omit<MessageModified, 'seq'> {
  const message = own(target, userId);
  if (isFile(message)) throw new Refusal('bad-input', 'a file has no text to edit');
  return { kind: 'modify', ...about(message, nonce), content };
}

/**
 * The deletion of a message by `userId`.
 * @throws Refusal `message-not-found`, `not-the-author`
 */
export function deletion(
  target: Message | undefined,
  userId: UserId,
  nonce: string | null,
): Omit<MessageDeleted, 'seq'> {
  return { kind: 'delete', ...about(own(target, userId), nonce) };
}

function own(target: Message | undefined, userId: UserId): Message {
  if (target === undefined) throw new Refusal('message-not-found', 'there is no such message here');
  if (target.userId !== userId) throw new Refusal('not-the-author', 'only its author may change a message');
  return target;
}

function about({ place, id, userId, time, communityId }: Message, nonce: string | null) {
  return { place, id, userId, time, communityId, nonce };
}
