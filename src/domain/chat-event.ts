import type { ConversationKey } from './conversation.ts';
import type { ChannelId, CommunityId, MessageId, RoomId, UserId } from './ids.ts';

export type FileType = 'image' | 'video' | 'file';

interface EventCommon {
  readonly place: ConversationKey;
  /** Number of the event in its place: 1, 2, 3, ... without a gap. */
  readonly seq: number;
  /** The message that is created, edited or deleted. */
  readonly id: MessageId;
  /** Who did it; of a message's own events always its author. */
  readonly userId: UserId;
  /** Time of the *message* (not of the edit), in milliseconds since 1970. */
  readonly time: number;
  /** The sender's key for sending once, 1 to 64 characters. */
  readonly nonce: string | null;
  /** Channels only; null where it is not known (the original allows edits and deletes without it). */
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
  readonly parentName: string;
  readonly parentContent: string;
}

/** `content` and `thumbnail` are keys of the file store, or whole URLs in what the original stored. */
export interface FileShared extends Authored {
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

/** What is stored, numbered and replayed. */
export type StoredEvent = MessageCreated | ReplyCreated | FileShared | MessageModified | MessageDeleted;

export type CreatingEvent = MessageCreated | ReplyCreated | FileShared;

type WithoutSeq<E> = E extends unknown ? Omit<E, 'seq'> : never;

/** An event that has no number yet. */
export type Draft = WithoutSeq<StoredEvent>;

/**
 * An event of a stored kind that an original server wrote: it has stored it, and there is no number.
 * It is delivered as it is.
 */
export interface ForeignEvent {
  readonly kind: 'foreign';
  readonly event: Draft;
}

export interface TypingShown {
  readonly kind: 'typing';
  readonly place: ConversationKey;
  readonly name: string;
}

/** A user came or went. `topics` as the community service lists them: `community/1`, `direct/5`. */
export interface PresenceChanged {
  readonly kind: 'connect' | 'disconnect';
  readonly userId: UserId;
  readonly topics: readonly string[];
}

/** Who is in which voice channel of a community: channel id to user ids, both as texts, as the presence service gives it. */
export type VoiceState = Readonly<Record<string, readonly string[]>>;

export interface VoiceShown {
  readonly kind: 'voice';
  readonly communityId: CommunityId;
  readonly state: VoiceState;
}

/** A voice channel of a community was left (or, `in`, entered): `ids` are those who are still in it. */
export interface VoiceLeft {
  readonly kind: 'voice-left';
  readonly type: 'out' | 'in';
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly ids: readonly string[];
}

/** The same for a direct call. */
export interface CallLeft {
  readonly kind: 'call-left';
  readonly type: 'out' | 'in';
  readonly roomId: RoomId;
  readonly ids: readonly string[];
}

/** Fanned out, never stored, without a number. */
export type TransientEvent = TypingShown | PresenceChanged | VoiceShown | VoiceLeft | CallLeft;

/** A room or community has other members now: caches follow, and live subscriptions of those who are gone end on every server. */
export interface MembersChanged {
  readonly kind: 'members-changed';
  readonly of: { readonly kind: 'room' | 'community'; readonly id: number };
  /** The whole list that holds from now on. */
  readonly members: readonly UserId[];
}

/** A session as servers tell each other of it. */
export interface RosterEntry {
  readonly sessionId: string;
  readonly userId: UserId;
}

/**
 * What a server says of its sessions. `hello`: tell me yours; `roster`: all of mine, in `parts` records of one `version`; `delta`: since the last
 * record (`version` counts up by one a record, so that a lost one is seen); `alive`: nothing new; `bye`: I stop, they are ended.
 */
export interface RosterTold {
  readonly kind: 'roster';
  readonly server: string;
  /** Start of the server process, in milliseconds: a restart is a new life. */
  readonly epoch: number;
  readonly version: number;
  readonly what: 'hello' | 'roster' | 'delta' | 'alive' | 'bye';
  readonly joined: readonly RosterEntry[];
  readonly left: readonly string[];
  /** `roster` only: this record's number and how many there are. */
  readonly part?: number;
  readonly parts?: number;
}

/** Between servers only; nothing of it reaches a client as it is. */
export type ControlEvent = MembersChanged | RosterTold;

/** Everything that is fanned out, closed. */
export type ChatEvent = StoredEvent | ForeignEvent | TransientEvent | ControlEvent;

export function isStored(event: ChatEvent): event is StoredEvent {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
      return true;
    default:
      return false;
  }
}

export function isCreating(event: StoredEvent): event is CreatingEvent {
  return event.kind === 'message' || event.kind === 'reply' || event.kind === 'file';
}

/**
 * The events as they may be shown now: those that created or changed a message which a later one of them deletes lose its content.
 * `events` must reach to the newest of the place, in order.
 */
export function withoutDeleted(events: readonly StoredEvent[]): StoredEvent[] {
  const deleted = new Set<MessageId>();
  for (const event of events) if (event.kind === 'delete') deleted.add(event.id);
  return deleted.size === 0 ? [...events] : events.map((e) => (deleted.has(e.id) ? blanked(e) : e));
}

/** The event with its content gone: empty text, no thumbnail. */
export function blanked(event: StoredEvent): StoredEvent {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'modify':
      return { ...event, content: '' };
    case 'file':
      return { ...event, content: '', thumbnail: null };
    case 'delete':
      return event;
  }
}
