import type { ShownHistory } from '../../application/application.ts';
import type { HistoryEntry } from '../../domain/history.ts';
import { fileTypeOf, type Message } from '../../domain/message.ts';
import { nameOfId } from '../../domain/message-rules.ts';
import { DELETED_PARENT } from '../support/deleted-parent.ts';
import { shownFile } from '../support/shown-file.ts';
import { wireTime } from '../support/wire-time.ts';

/** Makes the link with which a client can open a stored file. */
export type ShowFile = (content: string) => string;

/**
 * A history entry on the wire. The phone client stops reading when `id`, `name`, `message` or
 * `time` is null.
 */
export interface HistoryBody {
  readonly id: string;
  readonly name: string;
  readonly profileImage: string | null;
  readonly userId: number;
  readonly message: string;
  readonly thumbnail: string | null;
  readonly fileType: Message['type'];
  readonly type: null;
  readonly time: string;
  readonly parentId: string | null;
  readonly parentName: string | null;
  readonly parentContent: string | null;
  readonly seq: number | null;
  readonly edited: boolean;
  readonly nonce: string | null;
  readonly fileName?: string | undefined;
  readonly fileSize?: number | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

export function historyBody(shown: ShownHistory, showFile: ShowFile): HistoryBody[] {
  return shown.entries.map((entry) => entryBody(entry, shown.profiles, showFile));
}

function entryBody(
  { message, parent }: HistoryEntry,
  profiles: ShownHistory['profiles'],
  showFile: ShowFile,
): HistoryBody {
  const profile = profiles.get(message.userId);
  const { message: content, thumbnail, ...facts } = contentFields(message, showFile);
  return {
    id: message.id,
    name: nameOf(message, profiles),
    profileImage: profile === undefined ? message.profileImage : profile.image,
    userId: message.userId,
    message: content,
    thumbnail,
    fileType: message.type,
    type: null,
    time: wireTime(message.time),
    ...parentFields(message, parent, profiles, showFile),
    seq: message.seq,
    edited: message.edited,
    nonce: message.nonce,
    ...facts,
  };
}

function parentFields(
  message: Message,
  parent: Message | null,
  profiles: ShownHistory['profiles'],
  showFile: ShowFile,
): Pick<HistoryBody, 'parentId' | 'parentName' | 'parentContent'> {
  if (message.type !== 'reply') return { parentId: null, parentName: null, parentContent: null };
  if (parent === null) return DELETED_PARENT;
  return {
    parentId: parent.id,
    parentName: nameOf(parent, profiles),
    parentContent: contentFields(parent, showFile).message,
  };
}

function nameOf(message: Message, profiles: ShownHistory['profiles']): string {
  return profiles.get(message.userId)?.name ?? message.name ?? nameOfId(message.userId);
}

/** Of a message without a file: its text. */
function contentFields(message: Message, showFile: ShowFile): Pick<HistoryBody, 'message' | 'thumbnail'> {
  const fileType = fileTypeOf(message);
  if (fileType === null) return { message: message.content ?? '', thumbnail: null };
  return shownFile(fileType, message, showFile);
}
