import type { TypingShown } from '../../domain/chat-event.ts';
import { type MessageId, parseId, parseMessageId } from '../../domain/ids.ts';
import { type ConversationKey, channelKey, idOf, isChannel, roomKey } from '../../domain/place.ts';
import type { Draft, FileType } from '../../domain/stored-event.ts';
import { wireTime } from '../../domain/time.ts';
import { type Fields, readId, readText, readTime, Undecodable } from './record-fields.ts';
import type { RecordStream } from './record-stream.ts';

/** What a record says beside its value. */
export interface RecordFrame {
  readonly stream: RecordStream;
  /** The header `seq`; null where there is none. */
  readonly seq: number | null;
  /** When Kafka says that it was written, in milliseconds: the time of an event that names none. */
  readonly timestamp: number;
}

type Message = Draft | TypingShown;

export function encodeMessage(event: Message): Fields {
  if (event.kind === 'file') {
    const { place, id, userId, name, profileImage, content, thumbnail, fileType, time, nonce, communityId } = event;
    return {
      id,
      name,
      profileImage,
      message: content,
      thumbnail,
      userId: String(userId),
      channelId: idOf(place),
      type: isChannel(place) ? 'community' : 'direct',
      fileType,
      time: wireTime(time),
      nonce,
      communityId,
    };
  }
  const typing = event.kind === 'typing';
  const reply = event.kind === 'reply' ? event : null;
  const authored = event.kind === 'message' ? event : reply;
  return {
    id: typing ? null : event.id,
    ...(isChannel(event.place) ? { communityId: typing ? null : event.communityId, categoryId: null } : {}),
    channelId: idOf(event.place),
    userId: typing ? null : event.userId,
    parentId: reply?.parentId ?? null,
    content: typing ? event.name : event.kind === 'delete' ? null : event.content,
    thumbnail: null,
    localDateTime: typing ? null : wireTime(event.time),
    read: null,
    type: event.kind === 'message' ? null : event.kind,
    name: authored?.name ?? null,
    profileImage: authored?.profileImage ?? null,
    parentName: reply?.parentName ?? null,
    parentContent: reply?.parentContent ?? null,
    ...(typing ? {} : { nonce: event.nonce }),
  };
}

/** @throws Undecodable */
export function decodeMessage(fields: Fields, frame: RecordFrame): Message {
  const place = placeOf(fields, frame);
  const type = frame.stream === 'FILE' ? 'file' : (fields.type ?? null);
  if (type === 'typing') return { kind: 'typing', place, name: readText(fields, 'content') ?? '' };
  const common = {
    place,
    id: messageId(fields),
    userId: readId(fields, 'userId'),
    time: readTime(fields.localDateTime ?? fields.time) ?? frame.timestamp,
    nonce: readText(fields, 'nonce'),
    communityId: parseId(fields.communityId),
  };
  const authored = {
    ...common,
    name: readText(fields, 'name') ?? '',
    profileImage: readText(fields, 'profileImage'),
    content: readText(fields, frame.stream === 'FILE' ? 'message' : 'content') ?? '',
  };
  switch (type) {
    case 'reply': {
      const parentId = parseMessageId(fields.parentId);
      // Servers of the first generation let a reply name no parent; its text is worth showing all the same.
      if (parentId === null) return { kind: 'message', ...authored };
      const parentName = readText(fields, 'parentName') ?? '';
      const parentContent = readText(fields, 'parentContent') ?? '';
      return { kind: 'reply', ...authored, parentId, parentName, parentContent };
    }
    case 'modify':
      return { kind: 'modify', ...common, content: authored.content };
    case 'delete':
      return { kind: 'delete', ...common };
    case 'file':
      return { kind: 'file', ...authored, thumbnail: readText(fields, 'thumbnail'), fileType: fileType(fields) };
    case null:
    case 'message':
      return { kind: 'message', ...authored };
    default:
      throw new Undecodable('unknown type of message');
  }
}

function placeOf(fields: Fields, { stream }: RecordFrame): ConversationKey {
  const id = readId(fields, 'channelId');
  switch (stream) {
    case 'FILE':
      if (fields.type === 'direct') return roomKey(id);
      if (fields.type === 'community') return channelKey(id);
      throw new Undecodable('a file of neither a room nor a channel');
    case 'CHANNEL':
    case 'CHANNEL_ETC':
      return channelKey(id);
    default:
      return roomKey(id);
  }
}

function messageId(fields: Fields): MessageId {
  const id = parseMessageId(fields.id);
  if (id === null) throw new Undecodable('id is no message id');
  return id;
}

function fileType({ fileType: type }: Fields): FileType {
  if (type === 'image' || type === 'video' || type === 'file') return type;
  throw new Undecodable('unknown fileType');
}
