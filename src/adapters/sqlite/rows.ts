import type { SQLOutputValue } from 'node:sqlite';
import type { Message } from '../../domain/message.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { CreatingEvent, Draft, StoredEvent } from '../../domain/stored-event.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Columns of `message` in the order of {@link messageValues}. */
export const MESSAGE_COLUMNS =
  'place, seq, id, user, time, community, name, image, content, thumbnail, type, parent, edited, nonce';

/** The event as it is kept in `body`: everything but what the key says. */
export function eventBody(draft: Draft): string {
  const { place: _, ...body } = draft;
  return JSON.stringify(body);
}

export function readEvent(place: ConversationKey, row: Row): StoredEvent {
  return { ...JSON.parse(String(row.body)), place, seq: Number(row.seq) };
}

export function messageValues(event: CreatingEvent): (string | number | null)[] {
  return [
    event.place,
    event.seq,
    event.id,
    event.userId,
    event.time,
    event.communityId,
    event.name,
    event.profileImage,
    event.content,
    event.kind === 'file' ? event.thumbnail : null,
    event.kind === 'file' ? event.fileType : event.kind === 'reply' ? 'reply' : null,
    event.kind === 'reply' ? event.parentId : null,
    0,
    event.nonce,
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
    type: row.type as Message['type'],
    parentId: row.parent as string | null,
    time: Number(row.time),
    edited: row.edited === 1,
    nonce: row.nonce as string | null,
  };
}
