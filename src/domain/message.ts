import { type FileFacts, NO_FILE_FACTS } from './file.ts';
import type { CommunityId, MessageId, UserId } from './ids.ts';
import type { ConversationKey } from './place.ts';
import type { CreatingEvent, FileType } from './stored-event.ts';

/** The type of a message that is not a plain text. */
export type MessageType = 'reply' | FileType;

/** A message as it is now, after its edits. A deleted message does not exist. */
export interface Message extends FileFacts {
  readonly id: MessageId;
  readonly place: ConversationKey;
  readonly communityId: CommunityId | null;
  /**
   * The number of the event that created it. Null only if an original server stored the message
   * after the place was numbered.
   */
  readonly seq: number | null;
  readonly userId: UserId;
  /** The name that was stored. Null for files of an original server. */
  readonly name: string | null;
  readonly profileImage: string | null;
  /** A text, or the key of a file. Files of an original server have a whole URL here, or null. */
  readonly content: string | null;
  readonly thumbnail: string | null;
  readonly type: MessageType | null;
  readonly parentId: MessageId | null;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly edited: boolean;
  readonly nonce: string | null;
}

/** The type of the file that the message shows; null for a message without a file. */
export function fileTypeOf({ type }: Pick<Message, 'type'>): FileType | null {
  return type === 'reply' ? null : type;
}

export function isFile(message: Pick<Message, 'type'>): boolean {
  return fileTypeOf(message) !== null;
}

const MESSAGE_TYPES: Readonly<Record<MessageType, true>> = { reply: true, image: true, video: true, file: true };

function isMessageType(text: string): text is MessageType {
  return Object.hasOwn(MESSAGE_TYPES, text);
}

/**
 * Reads a stored type. Returns null for a plain text and for a type that this version does not
 * know.
 */
export function parseMessageType(text: unknown): MessageType | null {
  return typeof text === 'string' && isMessageType(text) ? text : null;
}

/** The message as it is right after the event that creates it. */
export function createdMessage(event: CreatingEvent): Message {
  const { id, place, communityId, seq, userId, name, profileImage, content, time, nonce } = event;
  const common = { id, place, communityId, seq, userId, name, profileImage, content, time, edited: false, nonce };
  switch (event.kind) {
    case 'message':
      return { ...common, ...NO_FILE_FACTS, thumbnail: null, type: null, parentId: null };
    case 'reply':
      return { ...common, ...NO_FILE_FACTS, thumbnail: null, type: 'reply', parentId: event.parentId };
    case 'file': {
      const { thumbnail, fileType, fileName, fileSize, width, height } = event;
      return { ...common, thumbnail, type: fileType, parentId: null, fileName, fileSize, width, height };
    }
  }
}
