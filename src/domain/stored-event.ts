import type { FileFacts } from './file.ts';
import type { CommunityId, MessageId, UserId } from './ids.ts';
import type { ConversationKey } from './place.ts';

export type FileType = 'image' | 'video' | 'file';

interface EventCommon {
  readonly place: ConversationKey;
  /** The event's number in its place: 1, 2, 3, ... without a gap. */
  readonly seq: number;
  /** The message that is created, edited or deleted. */
  readonly id: MessageId;
  /** The user who caused the event. They are always the author of the message. */
  readonly userId: UserId;
  /** When the message was created, in milliseconds since 1970. Edits and deletions repeat it. */
  readonly time: number;
  /** The sender's key for storing the event once, 1 to 64 characters. */
  readonly nonce: string | null;
  /**
   * Null for rooms. Also null where it is not known: the original server allows edits and deletions
   * without it.
   */
  readonly communityId: CommunityId | null;
}

interface Authored extends EventCommon {
  readonly name: string;
  readonly profileImage: string | null;
}

export interface MessageCreated extends Authored {
  readonly kind: 'message';
  readonly content: string;
}

export interface ReplyCreated extends Authored {
  readonly kind: 'reply';
  readonly content: string;
  readonly parentId: MessageId;
  /** Empty if the parent was deleted. */
  readonly parentName: string;
  /** The text of the parent when the reply was sent. Null if the parent was deleted. */
  readonly parentContent: string | null;
}

/**
 * `content` and `thumbnail` are keys of the file store. In records of the original server they are
 * whole URLs.
 */
export interface FileShared extends Authored, FileFacts {
  readonly kind: 'file';
  readonly content: string;
  readonly thumbnail: string | null;
  readonly fileType: FileType;
}

export interface MessageModified extends EventCommon {
  readonly kind: 'modify';
  readonly content: string;
}

export interface MessageDeleted extends EventCommon {
  readonly kind: 'delete';
}

/** An event that is stored, has a number, and is replayed to clients that resume. */
export type StoredEvent = MessageCreated | ReplyCreated | FileShared | MessageModified | MessageDeleted;

export type StoredKind = StoredEvent['kind'];

/**
 * The kinds of stored events. ADR 0008 says how a kind is added.
 *
 * - `creates`: the event adds a message to its place. Every other kind changes an existing message.
 * - `edits`: the event holds new text of an earlier message. When that message is deleted, this
 *   event loses its text as well.
 * - `deletes`: the event deletes its message.
 * - `quotes`: the event holds a copy of another message's text. When that message is deleted, this
 *   event loses the copy.
 */
export const STORED_KINDS = {
  message: { creates: true, edits: false, deletes: false, quotes: false },
  reply: { creates: true, edits: false, deletes: false, quotes: true },
  file: { creates: true, edits: false, deletes: false, quotes: false },
  modify: { creates: false, edits: true, deletes: false, quotes: false },
  delete: { creates: false, edits: false, deletes: true, quotes: false },
} as const satisfies Record<StoredKind, KindProperties>;

interface KindProperties {
  readonly creates: boolean;
  readonly edits: boolean;
  readonly deletes: boolean;
  readonly quotes: boolean;
}

type Creating = { [K in StoredKind]: (typeof STORED_KINDS)[K]['creates'] extends true ? K : never }[StoredKind];

export type CreatingEvent = Extract<StoredEvent, { readonly kind: Creating }>;

/**
 * A numbered event of a kind that this version does not know: a newer server wrote it. It keeps its
 * number, so that order, resume and counts stay right. Nothing of it is shown to clients. Also the
 * number of an event that was removed from the store.
 */
export interface UnknownEvent {
  readonly kind: 'unknown';
  readonly place: ConversationKey;
  readonly seq: number;
  /** The event was removed. Clients that have not seen it cannot resume. */
  readonly isRemoved?: true;
}

export function isRemoved(event: SequencedEvent): boolean {
  return event.kind === 'unknown' && event.isRemoved === true;
}

/**
 * The last number that is missing if nothing stands before this event. It is the event's own number
 * if the event was removed.
 */
export function missingUpTo(event: SequencedEvent): number {
  return isRemoved(event) ? event.seq : event.seq - 1;
}

/** An event that has a number in the sequence of its place. */
export type SequencedEvent = StoredEvent | UnknownEvent;

type WithoutSeq<E> = E extends unknown ? Omit<E, 'seq'> : never;

/** A stored event before it has a number. */
export type Draft = WithoutSeq<StoredEvent>;

export function isStoredKind(kind: string): kind is StoredKind {
  return Object.hasOwn(STORED_KINDS, kind);
}

/** All stored kinds, in the order of the table. */
export const STORED_KIND_NAMES: readonly StoredKind[] = Object.keys(STORED_KINDS).filter(isStoredKind);

export function isStored<E extends { readonly kind: string }>(event: E): event is Extract<E, StoredEvent> {
  return isStoredKind(event.kind);
}

/** Returns the events if all their kinds are known. Otherwise returns null. */
export function allStored(events: readonly SequencedEvent[]): readonly StoredEvent[] | null {
  const stored = events.filter(isStored);
  return stored.length === events.length ? stored : null;
}

/** True for an event with a number, whether this version knows its kind or not. */
export function isSequenced<E extends { readonly kind: string }>(event: E): event is Extract<E, SequencedEvent> {
  return event.kind === 'unknown' || isStoredKind(event.kind);
}

export function isCreating(event: StoredEvent): event is CreatingEvent {
  return STORED_KINDS[event.kind].creates;
}

/** The message that this event deletes, null for none. */
export function deletedBy(event: SequencedEvent): MessageId | null {
  return event.kind !== 'unknown' && STORED_KINDS[event.kind].deletes ? event.id : null;
}

/**
 * The message that must exist for this event: the parent of a reply, or the message to edit or
 * delete. Null if there is none.
 */
export function targetOf(event: Draft): MessageId | null {
  switch (event.kind) {
    case 'message':
    case 'file':
      return null;
    case 'reply':
      return event.parentId;
    case 'modify':
    case 'delete':
      return event.id;
  }
}

/** The message that this event quotes, null for none. */
export function quotedBy(event: SequencedEvent): MessageId | null {
  switch (event.kind) {
    case 'reply':
      return event.parentId;
    case 'message':
    case 'file':
    case 'modify':
    case 'delete':
    case 'unknown':
      return null;
  }
}

/**
 * The events without the texts of deleted messages. A message, its edits and the replies to it lose
 * its text if any event of the list deletes the message. `events` must be in order and reach to the
 * newest event of the place.
 */
export function withoutDeleted(events: readonly SequencedEvent[]): SequencedEvent[] {
  const deleted = new Set<MessageId>();
  for (const event of events) {
    const id = deletedBy(event);
    if (id !== null) deleted.add(id);
  }
  if (deleted.size === 0) return [...events];
  return events.map((event) => withoutTextOf(event, deleted));
}

/**
 * The event without the texts of these messages. The same object if it holds none of them.
 * @param deleted ids of deleted messages
 */
export function withoutTextOf(event: SequencedEvent, deleted: ReadonlySet<MessageId>): SequencedEvent {
  if (event.kind === 'unknown') return event;
  const own = deleted.has(event.id) ? blanked(event) : event;
  const quoted = quotedBy(own);
  return quoted !== null && deleted.has(quoted) ? unquoted(own) : own;
}

/** The event of a deleted message: empty text, empty thumbnail. */
export function blanked(event: StoredEvent): StoredEvent {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'modify':
      return { ...event, content: '' };
    case 'file':
      return { ...event, content: '', thumbnail: '', fileName: '' };
    case 'delete':
      return event;
  }
}

/** The event without what it quotes, because the quoted message was deleted. */
export function unquoted(event: StoredEvent): StoredEvent {
  switch (event.kind) {
    case 'reply':
      return { ...event, parentName: '', parentContent: null };
    case 'message':
    case 'file':
    case 'modify':
    case 'delete':
      return event;
  }
}
