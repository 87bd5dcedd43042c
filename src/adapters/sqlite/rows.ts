import type { SQLOutputValue } from 'node:sqlite';
import { DELETED_USER_ID, DELETED_USER_NAME, withoutAuthor } from '../../domain/anonymous.ts';
import { NO_FILE_FACTS } from '../../domain/file.ts';
import { type Message, parseMessageType } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import {
  blanked,
  type Draft,
  isStoredKind,
  type SequencedEvent,
  type StoredEvent,
  unquoted,
} from '../../domain/stored-event.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Columns of `message` in the order of {@link messageValues}. */
export const MESSAGE_COLUMNS =
  'place, seq, id, user, time, community, name, image, content, thumbnail, type, parent, edited, nonce, file_name, file_size, width, height';

/** Column `body` of an event: every field that no other column holds. */
export function eventBody(draft: Draft): string {
  const { place: _, ...body } = draft;
  return JSON.stringify(body);
}

/**
 * Reads an event from the columns `seq`, `kind` and `body`. For a kind that this version does not
 * know it returns an `UnknownEvent`.
 */
export function readEvent(place: ConversationKey, row: Row): SequencedEvent {
  const seq = Number(row.seq);
  if (!isStoredKind(String(row.kind))) return { kind: 'unknown', place, seq };
  const body = JSON.parse(String(row.body));
  const event: StoredEvent = { ...(row.kind === 'file' && NO_FILE_FACTS), ...body, place, seq };
  return event;
}

/**
 * Column `body` of the event after its message was deleted. An event of an unknown kind loses the
 * fields that hold a text in the known kinds.
 */
export function blankedBody(place: ConversationKey, row: Row): string {
  const event = readEvent(place, row);
  if (event.kind !== 'unknown') return eventBody(blanked(event));
  const body = JSON.parse(String(row.body));
  return JSON.stringify({
    ...body,
    ...('content' in body && { content: '' }),
    ...('thumbnail' in body && { thumbnail: '' }),
    ...('fileName' in body && { fileName: '' }),
  });
}

/** Column `body` of an event of a known kind after the message that it quotes was deleted. */
export function unquotedBody(place: ConversationKey, row: Row): string {
  const event = readEvent(place, row);
  return event.kind === 'unknown' ? String(row.body) : eventBody(unquoted(event));
}

/** Column `body` of the event after its user was removed. */
export function anonymousBody(place: ConversationKey, row: Row): string {
  const event = readEvent(place, row);
  if (event.kind !== 'unknown') return eventBody(withoutAuthor(event));
  const body = JSON.parse(String(row.body));
  return JSON.stringify({
    ...body,
    userId: DELETED_USER_ID,
    ...('nonce' in body && { nonce: null }),
    ...('name' in body && { name: DELETED_USER_NAME }),
    ...('profileImage' in body && { profileImage: null }),
  });
}

/** Column `body` of a reply under another name of its parent's author. */
export function renamedParent(place: ConversationKey, row: Row, parentName: string): string {
  const event = readEvent(place, row);
  return event.kind === 'reply' ? eventBody({ ...event, parentName }) : String(row.body);
}

export function messageValues(message: Message): (string | number | null)[] {
  return [
    message.place,
    message.seq,
    message.id,
    message.userId,
    message.time,
    message.communityId,
    message.name,
    message.profileImage,
    message.content,
    message.thumbnail,
    message.type,
    message.parentId,
    message.edited ? 1 : 0,
    message.nonce,
    message.fileName,
    message.fileSize,
    message.width,
    message.height,
  ];
}

export function readMessage(row: Row): Message {
  return {
    id: String(row.id),
    place: row.place as ConversationKey,
    communityId: row.community as number | null,
    seq: Number(row.seq),
    userId: Number(row.user),
    name: row.name as string | null,
    profileImage: row.image as string | null,
    content: row.content as string | null,
    thumbnail: row.thumbnail as string | null,
    type: parseMessageType(row.type),
    parentId: row.parent as string | null,
    time: Number(row.time),
    edited: row.edited === 1,
    nonce: row.nonce as string | null,
    fileName: row.file_name as string | null,
    fileSize: row.file_size as number | null,
    width: row.width as number | null,
    height: row.height as number | null,
  };
}
