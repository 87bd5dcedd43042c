import { Long, ObjectId } from 'mongodb';
import type { MessageId, UserId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import { type ConversationKey, idOf, isChannel } from '../../domain/place.ts';
import type { CreatingEvent, Draft, FileType, StoredEvent } from '../../domain/stored-event.ts';

/** An event as it stands in its batch: place and number follow from the batch, null fields are left out. */
export type EventBody = Readonly<Record<string, unknown>> & {
  readonly kind: StoredEvent['kind'];
  readonly id: MessageId;
};

/** Collection `event`: what one append stored for one place. */
export interface EventDocument {
  /** Made by the writer, so that it can tell its own document from a rival's. */
  readonly _id: ObjectId;
  readonly p: ConversationKey;
  /** Numbers of the first and the last event; the next batch begins at `l` + 1. */
  readonly f: number;
  readonly l: number;
  /** The writer's clock. */
  readonly at: Date;
  /** `user:nonce` of each event that has one; taken away after 24 hours. */
  readonly n?: readonly string[];
  /** Messages that the batch edits. */
  readonly m?: readonly MessageId[];
  /** Not yet seen in the message collections. */
  readonly proj?: true;
  /** Not known to be on the bus. */
  readonly out?: true;
  /** Numbers for messages that an original server stored; `more` of them follow. */
  readonly legacy?: true;
  readonly more?: true;
  /** Why the batch could not be brought into the message collections. */
  readonly failed?: string;
  readonly e: readonly EventBody[];
}

/** Collections `directMessage` and `channelMessage`: the original's fields and types, and three more at the end. */
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
}

/** The `seq` of what an original server stored: it knows no such field. Asked for as null it would be looked for in two stretches of an index instead of one. */
export const UNNUMBERED = { $exists: false };

/** Collection `eventHole`: how many numbers of a place are no message (any more), altogether and by `holeBucket`. */
export interface HoleDocument {
  readonly _id: ConversationKey;
  readonly t: number;
  /** The greatest number that made a hole. */
  readonly s: number;
  readonly n: Readonly<Record<string, number>>;
}

/** Collection `messageTime`. */
export interface ReadDocument {
  readonly _id: ObjectId;
  readonly channelId: string;
  readonly read?: Readonly<Record<string, Date>>;
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
  const m = drafts.flatMap((draft) => (draft.kind === 'modify' ? [draft.id] : []));
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

export function eventBody(draft: Draft): EventBody {
  const body: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(draft)) if (value !== null && field !== 'place') body[field] = value;
  return body as EventBody;
}

const ABSENT = {
  message: { nonce: null, communityId: null, profileImage: null },
  reply: { nonce: null, communityId: null, profileImage: null },
  file: { nonce: null, communityId: null, profileImage: null, thumbnail: null },
  modify: { nonce: null, communityId: null },
  delete: { nonce: null, communityId: null },
} as const;

export function readEvents({ p, f, e }: Pick<EventDocument, 'p' | 'f' | 'e'>): StoredEvent[] {
  return e.map((body, i) => ({ ...ABSENT[body.kind], ...body, place: p, seq: f + i }) as unknown as StoredEvent);
}

/** `_id` as the original keeps it: an ObjectId, unless a client of its own chose something else. */
export function idValue(id: MessageId): ObjectId | string {
  return ObjectId.isValid(id) && id.length === 24 ? new ObjectId(id) : id;
}

export function channelIdOf(place: ConversationKey): Long {
  return Long.fromNumber(idOf(place));
}

export function messageDocument(event: CreatingEvent): MessageDocument {
  const { communityId, profileImage, nonce } = event;
  return {
    _id: idValue(event.id),
    ...(communityId !== null && { communityId: Long.fromNumber(communityId) }),
    channelId: channelIdOf(event.place),
    userId: Long.fromNumber(event.userId),
    ...(event.kind === 'reply' && { parentId: event.parentId }),
    content: event.content,
    ...(event.kind === 'file' && event.thumbnail !== null && { thumbnail: event.thumbnail }),
    localDateTime: new Date(event.time),
    ...(event.kind === 'reply' && { type: 'reply' }),
    ...(event.kind === 'file' && { type: event.fileType }),
    name: event.name,
    ...(profileImage !== null && { profileImage }),
    ...(event.kind === 'reply' && { parentName: event.parentName, parentContent: event.parentContent }),
    seq: event.seq,
    ...(nonce !== null && { nonce }),
  };
}

const TYPES: ReadonlySet<string | undefined> = new Set(['reply', 'image', 'video', 'file']);

export function readMessage(place: ConversationKey, doc: MessageDocument): Message {
  return {
    id: String(doc._id),
    place,
    communityId: isChannel(place) && doc.communityId !== undefined ? Number(doc.communityId) : null,
    seq: doc.seq ?? null,
    userId: Number(doc.userId ?? 0),
    name: doc.name ?? null,
    profileImage: doc.profileImage ?? null,
    content: doc.content ?? null,
    thumbnail: doc.thumbnail ?? null,
    type: TYPES.has(doc.type) ? (doc.type as Message['type']) : null,
    parentId: doc.parentId === undefined || doc.parentId === null ? null : String(doc.parentId),
    time: doc.localDateTime?.getTime() ?? 0,
    edited: doc.edited === true,
    nonce: doc.nonce ?? null,
  };
}

/** What an original's message would have been as an event of ours. */
export function eventOfMessage(place: ConversationKey, doc: MessageDocument): Draft {
  const message = readMessage(place, doc);
  const { id, userId, time, communityId, profileImage } = message;
  const common = { place, id, userId, time, communityId, profileImage, nonce: null };
  const content = message.content ?? '';
  const name = message.name ?? '';
  if (message.type === null || (message.type === 'reply' && message.parentId === null)) {
    return { kind: 'message', ...common, name, content };
  }
  if (message.type === 'reply') {
    const parent = { parentName: doc.parentName ?? '', parentContent: doc.parentContent ?? '' };
    return { kind: 'reply', ...common, name, content, parentId: message.parentId ?? '', ...parent };
  }
  const fileType: FileType = message.type;
  return { kind: 'file', ...common, name, content, thumbnail: message.thumbnail, fileType };
}
