import type { TypingShown } from '../../domain/chat-event.ts';
import { isDimension } from '../../domain/file.ts';
import { type CommunityId, type MessageId, parseId, parseMessageId, type UserId } from '../../domain/ids.ts';
import { isNonce } from '../../domain/nonce.ts';
import { type ConversationKey, channelKey, idOf, isChannel, roomKey } from '../../domain/place.ts';
import { type Draft, type FileType, isStoredKind, type StoredKind } from '../../domain/stored-event.ts';
import { wireTime } from '../support/wire-time.ts';
import { type Fields, readId, readText, readTime, Undecodable } from './record-fields.ts';
import type { RecordStream } from './record-stream.ts';

/** The parts of a record beside its value. */
export interface RecordFrame {
  readonly stream: RecordStream;
  readonly key: string | null;
  /** The header `seq`; null if there is none. */
  readonly seq: number | null;
  /**
   * Time when the bus took the record, in milliseconds since 1970: the time of an event that names
   * none.
   */
  readonly timestamp: number;
}

type DraftOf<K extends StoredKind> = Extract<Draft, { readonly kind: K }>;
type TextEvent = DraftOf<'message' | 'reply' | 'modify' | 'delete'> | TypingShown;

export function encodeMessage(event: Draft | TypingShown): Fields {
  switch (event.kind) {
    case 'file':
      return fileFields(event);
    case 'message':
    case 'reply':
    case 'modify':
    case 'delete':
    case 'typing':
      return textFields(event);
  }
}

function fileFields(event: DraftOf<'file'>): Fields {
  const { place, id, userId, name, profileImage, content, thumbnail, fileType, time, nonce, communityId } = event;
  const { fileName, fileSize, width, height } = event;
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
    fileName,
    fileSize,
    width,
    height,
  };
}

/**
 * All fields of the original server, in its order. It writes null for a field that an event does
 * not have.
 */
function textFields(event: TextEvent): Fields {
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

/**
 * The kind that a record outside the STATE stream holds; null for a type that this version does not
 * know.
 */
export function messageType(fields: Fields, { stream }: RecordFrame): StoredKind | 'typing' | null {
  if (stream === 'FILE') return 'file';
  const type = fields.type ?? 'message';
  if (typeof type !== 'string') return null;
  return type === 'typing' || isStoredKind(type) ? type : null;
}

/** @throws Undecodable */
export function decodeTyping(fields: Fields, frame: RecordFrame): TypingShown {
  return { kind: 'typing', place: placeOf(fields, frame), name: readText(fields, 'content') ?? '' };
}

/** The fields that every stored event has. */
interface Common {
  readonly place: ConversationKey;
  readonly id: MessageId;
  readonly userId: UserId;
  readonly time: number;
  readonly nonce: string | null;
  readonly communityId: CommunityId | null;
}

type Decoder = (common: Common, fields: Fields, frame: RecordFrame) => Draft;

/** How each kind is read. A kind that is missing here does not compile. */
const DECODERS = {
  message: (common, fields, frame) => ({ kind: 'message', ...common, ...authored(fields, frame) }),
  reply: (common, fields, frame) => {
    const parentId = parseMessageId(fields.parentId);
    // The original lets a reply name no parent. Its text is shown as a message.
    if (parentId === null) return { kind: 'message', ...common, ...authored(fields, frame) };
    const parentName = readText(fields, 'parentName') ?? '';
    const quoted = readText(fields, 'parentContent');
    // In a numbered record, null says that the parent was deleted. The original leaves texts out.
    const parentContent = quoted === null && frame.seq === null ? '' : quoted;
    return { kind: 'reply', ...common, ...authored(fields, frame), parentId, parentName, parentContent };
  },
  file: (common, fields, frame) => ({
    kind: 'file',
    ...common,
    ...authored(fields, frame),
    // A record that servers of the original read too has links beside the keys.
    content: readText(fields, 'file') ?? contentOf(fields, frame),
    thumbnail: readText(fields, 'thumbnailFile') ?? readText(fields, 'thumbnail'),
    fileType: fileType(fields),
    fileName: readText(fields, 'fileName'),
    fileSize: countOf(fields.fileSize),
    width: dimensionOf(fields.width),
    height: dimensionOf(fields.height),
  }),
  modify: (common, fields, frame) => ({ kind: 'modify', ...common, content: contentOf(fields, frame) }),
  delete: (common) => ({ kind: 'delete', ...common }),
} as const satisfies Record<StoredKind, Decoder>;

/** @throws Undecodable */
export function decodeMessage(kind: StoredKind, fields: Fields, frame: RecordFrame): Draft {
  const common: Common = {
    place: placeOf(fields, frame),
    id: messageId(fields),
    userId: readId(fields, 'userId'),
    time: readTime(fields.localDateTime ?? fields.time) ?? frame.timestamp,
    nonce: nonceOf(fields),
    communityId: parseId(fields.communityId),
  };
  return DECODERS[kind](common, fields, frame);
}

function authored(fields: Fields, frame: RecordFrame) {
  return {
    name: readText(fields, 'name') ?? '',
    profileImage: readText(fields, 'profileImage'),
    content: contentOf(fields, frame),
  };
}

function contentOf(fields: Fields, { stream }: RecordFrame): string {
  return readText(fields, stream === 'FILE' ? 'message' : 'content') ?? '';
}

function placeOf(fields: Fields, { stream }: RecordFrame): ConversationKey {
  const id = readId(fields, 'channelId');
  switch (stream) {
    case 'FILE':
      if (fields.type === 'direct') return roomKey(id);
      if (fields.type === 'community') return channelKey(id);
      throw new Undecodable('type of a file must be direct or community');
    case 'CHANNEL':
    case 'CHANNEL_ETC':
      return channelKey(id);
    case 'DIRECT':
    case 'DIRECT_ETC':
    case 'STATE':
      return roomKey(id);
  }
}

/** Null for a text that this server would refuse as a nonce. The event is still read. */
function nonceOf(fields: Fields): string | null {
  const nonce = readText(fields, 'nonce');
  return nonce !== null && isNonce(nonce) ? nonce : null;
}

function messageId(fields: Fields): MessageId {
  const id = parseMessageId(fields.id);
  if (id === null) throw new Undecodable('id must be 24 hexadecimal digits');
  return id;
}

/** Null for a record that has no number there: the original and older servers write none. */
function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function dimensionOf(value: unknown): number | null {
  return typeof value === 'number' && isDimension(value) ? value : null;
}

function fileType({ fileType: type }: Fields): FileType {
  if (type === 'image' || type === 'video' || type === 'file') return type;
  throw new Undecodable('fileType must be image, video or file');
}
