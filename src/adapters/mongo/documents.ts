import { Long, ObjectId } from 'mongodb';
import type { Job } from '../../application/ports/job-store.ts';
import { isFileUrl, NO_FILE_FACTS } from '../../domain/file.ts';
import type { MessageId, UserId } from '../../domain/ids.ts';
import { createdMessage, isFile, type Message, parseMessageType } from '../../domain/message.ts';
import { type ConversationKey, idOf, isChannel } from '../../domain/place.ts';
import {
  type CreatingEvent,
  type Draft,
  isStoredKind,
  type SequencedEvent,
  STORED_KIND_NAMES,
  STORED_KINDS,
  type StoredEvent,
  type StoredKind,
  unquoted,
} from '../../domain/stored-event.ts';
import type { OrderFields } from '../support/moderation-order.ts';

/** An event in its batch. The batch gives place and number. Fields that are null are left out. */
export type EventBody = Readonly<Record<string, unknown>> & {
  /** One of `STORED_KINDS`, or a kind that only a newer version knows. */
  readonly kind: string;
};

/** Collection `event`: one batch, which one append stored for one place. */
export interface EventDocument {
  /** Made by the writer, so that it recognizes its own document. */
  readonly _id: ObjectId;
  readonly p: ConversationKey;
  /** Numbers of the first and the last event. The next batch begins at `l` + 1. */
  readonly f: number;
  readonly l: number;
  /** Time of the append, by the clock of the writing server. */
  readonly at: Date;
  /** `user:nonce` of each event with a nonce. Removed after 24 hours. */
  readonly n?: readonly string[];
  /**
   * Keys of the messages and changes of an original server that became these events, each once over
   * all servers. They stay, and clients do not see them. Absent in all other batches.
   */
  readonly a?: readonly string[];
  /** Messages that the batch edits. Absent if it edits none. */
  readonly m?: readonly MessageId[];
  /**
   * `true`: the batch has to be projected into the message collections. `late`: it is projected,
   * except for the events of the kinds in `late`. Absent: it is projected.
   */
  readonly proj?: true | 'late';
  /**
   * Kinds that were unknown to the server which projected the rest of the batch. A server that
   * knows such a kind projects its events.
   */
  readonly late?: readonly string[];
  /** The batch is not known to be on the bus. */
  readonly out?: true;
  /** The batch numbers messages that an original server stored. */
  readonly legacy?: true;
  /** A numbering is in progress: another batch has to follow. */
  readonly more?: true;
  /**
   * The batch has no events. It holds the numbers of events that were removed from the end of the
   * log, so that they are not given again.
   */
  readonly removed?: true;
  /** The error for which the batch was set aside, without being projected. */
  readonly failed?: string;
  readonly e: readonly EventBody[];
}

/**
 * Collections `directMessage` and `channelMessage`: the fields and types of the original, and some
 * more at the end.
 */
export interface MessageDocument {
  readonly _id: ObjectId | string;
  readonly communityId?: Long | number;
  readonly channelId: Long | number;
  readonly userId?: Long | number;
  readonly parentId?: ObjectId | string;
  readonly content?: string;
  readonly thumbnail?: string;
  readonly localDateTime?: Date;
  readonly type?: string;
  readonly name?: string;
  readonly profileImage?: string;
  readonly parentName?: string;
  readonly parentContent?: string;
  readonly seq?: number;
  readonly edited?: boolean;
  readonly nonce?: string;
  /**
   * Keys of the file and its thumbnail, where `content` and `thumbnail` hold links that servers of
   * the original read.
   */
  readonly file?: string;
  readonly thumbnailFile?: string;
  readonly fileName?: string;
  readonly fileSize?: number;
  readonly width?: number;
  readonly height?: number;
}

/**
 * Filter for the `seq` of messages that an original server stored, which have no such field. A
 * filter for null would scan two ranges of the index instead of one.
 */
export const UNNUMBERED = { $exists: false };

/**
 * Collection `eventHole`: how many numbers of a place are holes, in total (`t`) and for each
 * `holeBucket` (`n`).
 */
export interface HoleDocument {
  readonly _id: ConversationKey;
  readonly t: number;
  /** The greatest number of an event that made a hole. */
  readonly s: number;
  readonly n: Readonly<Record<string, number>>;
}

/** Collection `job`. Times are in milliseconds since 1970, except for the end of the lease. */
export type JobDocument = Omit<Job, 'id'> & {
  readonly _id: string;
  /** The server that does the job; null for none. */
  readonly owner: string | null;
  readonly until: Date;
};

/** The kind of an event in a batch that was removed. Only its number is left. */
export const REMOVED_KIND = 'removed';

/** Collection `messageTime`: the read markers of a place, by user id. */
export interface ReadDocument {
  readonly _id: ObjectId;
  readonly channelId: string;
  readonly read?: Readonly<Record<string, Date>>;
}

/** Collection `moderation`: an order of an administrator. The id is its number. */
export interface OrderDocument {
  readonly _id: number;
  /** What the order is about. */
  readonly subject: string;
  /** From then on it means no more than no order; null: never. */
  readonly ends: Date | null;
  readonly admin: string;
  readonly at: Date;
  readonly order: OrderFields;
}

/** Collection `slowTurn`: the last turn of a user in a place. The id is `{place}/{user}`. */
export interface TurnDocument {
  readonly _id: string;
  readonly at: Date;
}

/** Collection `readPosition`: how far a user has read in a place. The id is `{place}/{user}`. */
export interface PositionDocument {
  readonly _id: string;
  readonly seq: number;
  /** The user's time in `messageTime` that was written with the position. */
  readonly time?: Date;
}

export function positionId(place: ConversationKey, userId: UserId): string {
  return `${place}/${userId}`;
}

export function nonceKey(userId: UserId, nonce: string): string {
  return `${userId}:${nonce}`;
}

export function eventDocument(
  place: ConversationKey,
  first: number,
  drafts: readonly Draft[],
  at: number,
): EventDocument {
  const n = drafts.flatMap((draft) => (draft.nonce === null ? [] : [nonceKey(draft.userId, draft.nonce)]));
  const m = drafts.flatMap((draft) => (STORED_KINDS[draft.kind].edits ? [draft.id] : []));
  return {
    _id: new ObjectId(),
    p: place,
    f: first,
    l: first + drafts.length - 1,
    at: new Date(at),
    ...(n.length > 0 && { n }),
    ...(m.length > 0 && { m }),
    proj: true,
    out: true,
    e: drafts.map(eventBody),
  };
}

export function eventBody({ kind, place: _, ...fields }: Draft): EventBody {
  const body: Record<string, unknown> & { kind: string } = { kind };
  for (const [field, value] of Object.entries(fields)) if (value !== null) body[field] = value;
  return body;
}

type OfKind<K extends StoredKind> = Extract<StoredEvent, { readonly kind: K }>;
type NullFields<E> = { readonly [F in keyof E as null extends E[F] ? F : never]: null };

/** The fields of each kind that may be null, and so may be absent from the document. */
const ABSENT: { readonly [K in StoredKind]: NullFields<OfKind<K>> } = {
  message: { nonce: null, communityId: null, profileImage: null },
  reply: { nonce: null, communityId: null, profileImage: null, parentContent: null },
  file: { nonce: null, communityId: null, profileImage: null, thumbnail: null, ...NO_FILE_FACTS },
  modify: { nonce: null, communityId: null },
  delete: { nonce: null, communityId: null },
};

/**
 * Reads the events of a batch. An event of a kind that this version does not know becomes an
 * `UnknownEvent`.
 */
export function readEvents({ p, f, e }: Pick<EventDocument, 'p' | 'f' | 'e'>): SequencedEvent[] {
  return e.map((body, i) => readEvent(p, f + i, body));
}

export function readEvent(place: ConversationKey, seq: number, body: EventBody): SequencedEvent {
  if (body.kind === REMOVED_KIND) return { kind: 'unknown', place, seq, isRemoved: true };
  if (!isStoredKind(body.kind)) return { kind: 'unknown', place, seq };
  const event = { ...ABSENT[body.kind], ...body, place, seq } as unknown as StoredEvent;
  const isUnquoted = event.kind === 'reply' && event.parentName === '' && event.parentContent === '';
  return isUnquoted ? unquoted(event) : event;
}

/** The kinds in the batch that this version does not know, each once. */
export function unknownKinds({ e }: Pick<EventDocument, 'e'>): string[] {
  return [...new Set(e.flatMap(({ kind }) => (isStoredKind(kind) ? [] : [String(kind)])))];
}

/**
 * The event's entry in field `n`, null for an event without a nonce. Events of all kinds, also of
 * unknown ones, have the fields `userId` and `nonce`.
 */
export function nonceKeyOf({ userId, nonce }: EventBody): string | null {
  return typeof nonce === 'string' ? nonceKey(Number(userId), nonce) : null;
}

/** The fields of each kind that become empty when the message is deleted. */
const TEXT_FIELDS: { readonly [K in StoredKind]: readonly (keyof OfKind<K>)[] } = {
  message: ['content'],
  reply: ['content'],
  file: ['content', 'thumbnail', 'fileName'],
  modify: ['content'],
  delete: [],
};

/**
 * The update of batches that removes the texts of deleted messages. An event of an unknown kind
 * loses the fields that hold a text in the known kinds.
 */
export function blanking(ids: readonly MessageId[]) {
  const fields = [...new Set(Object.values(TEXT_FIELDS).flat())];
  return {
    update: { $set: Object.fromEntries(fields.map((field) => [`e.$[${field}].${field}`, ''])) },
    arrayFilters: fields.map((field) => ({
      [`${field}.id`]: { $in: [...ids] },
      $or: [
        { [`${field}.kind`]: { $in: kindsWith(field) } },
        { [`${field}.kind`]: { $nin: [...STORED_KIND_NAMES] }, [`${field}.${field}`]: { $exists: true } },
      ],
    })),
  };
}

function kindsWith(field: string): string[] {
  return STORED_KIND_NAMES.filter((kind) => TEXT_FIELDS[kind].some((each) => each === field));
}

/**
 * The update of batches that removes the copies of deleted messages from the replies to them. The
 * fields stay, because servers of version 0.1 need them. {@link readEvent} recognizes the two empty
 * texts.
 */
export function unquoting(ids: readonly MessageId[]) {
  return {
    update: { $set: { 'e.$[reply].parentName': '', 'e.$[reply].parentContent': '' } },
    arrayFilters: [
      {
        'reply.parentId': { $in: [...ids] },
        'reply.kind': { $in: STORED_KIND_NAMES.filter((kind) => STORED_KINDS[kind].quotes) },
      },
    ],
  };
}

/**
 * The `_id` of a message: an ObjectId, as the original stores it, or a text if the id has another
 * form.
 */
export function idValue(id: MessageId): ObjectId | string {
  return ObjectId.isValid(id) && id.length === 24 ? new ObjectId(id) : id;
}

export function channelIdOf(place: ConversationKey): Long {
  return Long.fromNumber(idOf(place));
}

/** Makes the link of a file's key, for servers of the original. */
export type FileLink = (key: string) => string;

/** @param link null where no server of the original reads the document */
export function messageDocument(event: CreatingEvent, link: FileLink | null): MessageDocument {
  const message = createdMessage(event);
  const { communityId, profileImage, nonce, content, thumbnail, type, name, parentId, seq } = message;
  const { fileName, fileSize, width, height } = message;
  return {
    _id: idValue(message.id),
    ...(communityId !== null && { communityId: Long.fromNumber(communityId) }),
    channelId: channelIdOf(message.place),
    userId: Long.fromNumber(message.userId),
    ...(parentId !== null && { parentId }),
    ...(content !== null && { content }),
    ...(thumbnail !== null && { thumbnail }),
    localDateTime: new Date(message.time),
    ...(type !== null && { type }),
    ...(name !== null && { name }),
    ...(profileImage !== null && { profileImage }),
    ...parentText(event),
    ...(seq !== null && { seq }),
    ...(nonce !== null && { nonce }),
    ...(fileName !== null && { fileName }),
    ...(fileSize !== null && { fileSize }),
    ...(width !== null && { width }),
    ...(height !== null && { height }),
    ...(link !== null && linked(message, link)),
  };
}

function linked({ type, content, thumbnail }: Message, link: FileLink): Partial<MessageDocument> {
  if (content === null || !isFile({ type }) || isFileUrl(content)) return {};
  return {
    content: link(content),
    file: content,
    ...(thumbnail !== null && { thumbnail: link(thumbnail), thumbnailFile: thumbnail }),
  };
}

/** The original's copy of the parent in a reply. */
function parentText(event: CreatingEvent): Pick<MessageDocument, 'parentName' | 'parentContent'> {
  switch (event.kind) {
    case 'message':
    case 'file':
      return {};
    case 'reply':
      return { parentName: event.parentName, parentContent: event.parentContent ?? '' };
  }
}

export function readMessage(place: ConversationKey, doc: MessageDocument): Message {
  return {
    id: String(doc._id),
    place,
    communityId: isChannel(place) && doc.communityId !== undefined ? Number(doc.communityId) : null,
    seq: doc.seq ?? null,
    userId: Number(doc.userId ?? 0),
    name: doc.name ?? null,
    profileImage: doc.profileImage ?? null,
    content: doc.file ?? doc.content ?? null,
    thumbnail: doc.thumbnailFile ?? doc.thumbnail ?? null,
    type: parseMessageType(doc.type),
    parentId: doc.parentId === undefined || doc.parentId === null ? null : String(doc.parentId),
    time: doc.localDateTime?.getTime() ?? 0,
    edited: doc.edited === true,
    nonce: doc.nonce ?? null,
    fileName: doc.fileName ?? null,
    fileSize: doc.fileSize ?? null,
    width: doc.width ?? null,
    height: doc.height ?? null,
  };
}

/** The event that would have created a message of the original. */
export function eventOfMessage(place: ConversationKey, doc: MessageDocument): Draft {
  const { id, userId, time, communityId, profileImage, parentId, type, thumbnail, ...message } = readMessage(
    place,
    doc,
  );
  const content = message.content ?? '';
  const name = message.name ?? '';
  const { fileName, fileSize, width, height } = message;
  const common = { place, id, userId, time, communityId, profileImage, nonce: null, name, content };
  switch (type) {
    case null:
      return { kind: 'message', ...common };
    case 'reply': {
      if (parentId === null) return { kind: 'message', ...common };
      return {
        kind: 'reply',
        ...common,
        parentId,
        parentName: doc.parentName ?? '',
        parentContent: doc.parentContent ?? '',
      };
    }
    case 'image':
    case 'video':
    case 'file':
      return { kind: 'file', ...common, thumbnail, fileType: type, fileName, fileSize, width, height };
  }
}
