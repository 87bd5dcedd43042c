import type { CommunityId, MessageId, UserId } from './ids.ts';
import type { ConversationKey } from './place.ts';
import type { FileType } from './stored-event.ts';

/** A message as it stands now, after its edits. A deleted one does not exist. */
export interface Message {
  readonly id: MessageId;
  readonly place: ConversationKey;
  readonly communityId: CommunityId | null;
  /** Number of the event that created it. Null only for what an original server stored after the place was numbered. */
  readonly seq: number | null;
  readonly userId: UserId;
  /** As stored; the original stores none with files. */
  readonly name: string | null;
  readonly profileImage: string | null;
  /** Text, or a file's key (a whole URL in what the original stored). Null in some of the original's files. */
  readonly content: string | null;
  readonly thumbnail: string | null;
  readonly type: 'reply' | FileType | null;
  readonly parentId: MessageId | null;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly edited: boolean;
  readonly nonce: string | null;
}

export function isFile(message: Pick<Message, 'type'>): boolean {
  return message.type !== null && message.type !== 'reply';
}
