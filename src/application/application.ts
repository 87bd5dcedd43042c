import type { HistoryRange } from '../domain/history.ts';
import type { ChannelId, CommunityId, MessageId, RoomId, UserId } from '../domain/ids.ts';
import type { ConversationKey, MemberListKey, PlaceKey } from '../domain/place.ts';
import type { FileType } from '../domain/stored-event.ts';
import type { Whereabouts } from '../domain/whereabouts.ts';
import type { Accepted, Caller, Command, Query, Stored } from './commands.ts';
import type { UserPlace } from './membership/places-of-user.ts';
import type { ByteStream, StoredFile } from './ports/file-store.ts';
import type { ReplaySink } from './ports/local-subscribers.ts';
import type { HistoryPage } from './ports/message-store.ts';
import type { PersonalListener } from './ports/personal-listener.ts';
import type { UnreadCount } from './ports/read-markers.ts';
import type { SessionClient } from './ports/session-client.ts';
import type { UserProfile } from './ports/user-directory.ts';
import type { RefusedPlace } from './refused-place.ts';
import type { Health } from './server-health.ts';
import type { ServiceCalls } from './service-calls.ts';
import type { OnlineUsers } from './use-cases/presence/show-online-in-places.ts';

/** The result of an upload. */
export interface StoredFileMessage extends Stored {
  /** The file's key in the file store. For a repeated nonce it is the key of the first upload. */
  readonly content: string;
}

export interface NewMessage {
  /** The author's name according to the client. Used only where no user service provides names. */
  readonly name: string | null;
  readonly profileImage: string | null;
  readonly content: string;
  readonly nonce: string | null;
  /** Monotonic time at which the command was read, for the measured time of its delivery. */
  readonly readAt?: number;
}

export interface DirectMessage extends NewMessage {
  readonly roomId: RoomId;
}

export interface ChannelMessage extends NewMessage {
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
}

export interface Reply {
  readonly parentId: MessageId;
}

export interface Modification {
  readonly place: ConversationKey;
  readonly id: MessageId;
  readonly content: string;
  readonly communityId: CommunityId | null;
  readonly nonce: string | null;
  /** As {@link NewMessage.readAt}. */
  readonly readAt?: number;
}

export type Deletion = Omit<Modification, 'content'>;

export interface Typing {
  readonly place: ConversationKey;
  readonly communityId: CommunityId | null;
  /** The typist's name as the client gives it. */
  readonly name: string;
}

/** The fields of an upload, complete when its form has been read to the end. */
export interface UploadDetails {
  readonly place: ConversationKey;
  /** Null for a room. */
  readonly communityId: CommunityId | null;
  readonly fileType: FileType;
  /** Width and height in pixels as the client gives them; null where it does not. */
  readonly width: number | null;
  readonly height: number | null;
  readonly name: string | null;
  readonly profileImage: string | null;
  readonly nonce: string | null;
}

/** The two files that an upload can have. The thumbnail is optional. */
export type UploadPart = 'file' | 'thumbnail';

/** Takes the parts of an upload while they arrive. */
export interface UploadSink {
  /**
   * Checks that the caller may upload there, and counts the upload against their rate. Call it
   * once, as soon as the place is known.
   * @throws Refusal `too-fast`, `not-permitted`, `try-again`
   */
  admit(place: ConversationKey, communityId: CommunityId | null): Promise<void>;
  /**
   * Streams the bytes of a part straight into the file store. Each part comes at most once. Reads
   * nothing before a check that is under way has passed.
   * @param fileName as the client gave it; the content type is never derived from it
   * @throws Refusal `too-large`, `try-again`, and the refusal of the check
   */
  store(part: UploadPart, bytes: ByteStream, fileName: string | null): Promise<void>;
}

/** An upload that is still arriving. Its bytes are never held in memory as a whole. */
export interface Upload {
  /**
   * Reads the whole upload and hands its parts to `sink` in the order in which they arrive. Settles
   * only after every call of the sink has settled. Rejects when the upload breaks off or is not
   * valid; the parts that were stored are then removed.
   */
  receive(sink: UploadSink): Promise<UploadDetails>;
}

export interface Connection {
  /** Identifies this connection. It cannot be guessed. */
  readonly sessionId: string;
  readonly token: string;
  /** The `user-id` header as sent, or null. */
  readonly claimedUserId: string | null;
  /** By it, the application can end the session, e.g. when the user is banned. */
  readonly client: SessionClient;
}

export interface RoomCount {
  readonly roomId: RoomId;
  readonly count: number;
  readonly newestTime: number | null;
}

/**
 * Every command and query of the chat server. Inbound adapters use the application only through
 * this interface. A method that fails throws a `Refusal` or rejects with one.
 */
export interface Application {
  // Sessions
  /**
   * Checks the token. @throws Refusal `no-token`, `bad-token` (also where `claimedUserId` differs
   * from the token's), `not-permitted` for a banned user; `try-again` right after the start, while
   * the bans are not known
   */
  authenticate(token: string | null, claimedUserId: string | null): Caller;
  /**
   * Begins a session. It is reported to the presence service and to other users; the call waits for
   * neither.
   * @throws Refusal as {@link authenticate}; `too-fast` over the limit of connections of one user
   */
  userConnected(connection: Connection): Caller;
  /** Ends a session, for whatever reason it ended. Never throws. A second call does nothing. */
  userDisconnected(sessionId: string): void;
  /**
   * Extends a session by a new token. @throws Refusal `bad-token` when it belongs to another user
   */
  refreshToken(caller: Caller, token: string): Caller;

  // Commands of a client
  readonly sendDirectMessage: Command<DirectMessage, Stored>;
  readonly sendChannelMessage: Command<ChannelMessage, Stored>;
  readonly replyInRoom: Command<DirectMessage & Reply, Stored>;
  readonly replyInChannel: Command<ChannelMessage & Reply, Stored>;
  readonly modifyMessage: Command<Modification, Stored>;
  readonly deleteMessage: Command<Deletion, Stored>;
  readonly showTyping: Command<Typing, void>;
  readonly moveToPlace: Command<{ readonly sessionId: string; readonly whereabouts: Whereabouts }, void>;
  readonly showVoice: Command<{ readonly communityId: CommunityId }, void>;
  readonly enterVoiceChannel: Command<
    { readonly sessionId: string; readonly communityId: CommunityId; readonly channelId: ChannelId },
    void
  >;
  readonly leaveVoiceChannel: Command<{ readonly communityId: CommunityId; readonly channelId: ChannelId }, void>;
  /**
   * Subscribes to a place. With a `lastSeq`, the events after it are replayed first. Without one,
   * the subscription is live at once. A community has no numbered events: its `seq` is 0.
   *
   * The command is accepted when the subscription's position in the order is fixed. `result`
   * resolves when the replay is complete and the subscription is live.
   */
  readonly subscribe: Command<
    { readonly place: PlaceKey; readonly lastSeq: number | null; readonly sink: ReplaySink },
    { readonly seq: number }
  >;

  /** The caller has read a conversation up to the number `seq`. It never goes back. */
  readonly markAsRead: Command<
    { readonly sessionId: string; readonly place: ConversationKey; readonly seq: number },
    void
  >;
  /**
   * Sends the caller's personal events to this listener from now on. `result` resolves when the
   * caller's places are known, or when the directory could not be asked.
   * @throws Refusal `too-fast`
   */
  readonly listenToPersonalEvents: Command<PersonalListener, void>;
  /** Ends it. Never throws. Does nothing for a listener that is not there. */
  ignorePersonalEvents(caller: Caller, listener: PersonalListener): void;

  // Files
  /**
   * Receives a file and shows it in a conversation. The bytes stream into the store between the
   * check and the event. A repeated nonce is answered with the result of the first upload. The
   * stored parts are removed unless an event shows them or may show them.
   */
  readonly uploadFile: Command<Upload, StoredFileMessage>;
  /** A file, for a link that was signed for it. Null if there is no such file. */
  openFile(key: string, range?: { readonly start: number; readonly end: number }): Promise<StoredFile | null>;

  // Queries of a client
  readonly readHistory: Query<{ readonly place: ConversationKey; readonly range: HistoryRange }, ShownHistory>;
  /** Each place once, in the order of the query, with its count or its refusal. */
  readonly unread: Query<
    { readonly places: readonly ConversationKey[] },
    readonly (UnreadCount | RefusedPlace<ConversationKey>)[]
  >;
  /** The rooms, communities and channels of the caller. */
  readonly places: Query<void, readonly UserPlace[]>;
  readonly online: Query<{ readonly place: PlaceKey }, readonly UserId[]>;
  /** Each place once, in the order of the query, with its users or its refusal. */
  readonly onlineInPlaces: Query<{ readonly places: readonly PlaceKey[] }, readonly (OnlineUsers | RefusedPlace)[]>;

  // Calls of other services. The adapter checks that the caller may make them.
  /** Replaces the whole member list of a room or community, on every server. */
  replaceMembers(place: MemberListKey, members: readonly UserId[]): Promise<void>;
  /**
   * Unread messages of each room. Rooms with the newest message come first, rooms without messages
   * last.
   */
  countUnread(userId: UserId, roomIds: readonly RoomId[]): Promise<readonly RoomCount[]>;
  voiceLeft(left: {
    readonly type: 'out' | 'in';
    readonly communityId: CommunityId;
    readonly channelId: ChannelId;
    readonly ids: readonly string[];
  }): Promise<void>;
  callLeft(left: {
    readonly type: 'out' | 'in';
    readonly roomId: RoomId;
    readonly ids: readonly string[];
  }): Promise<void>;

  // Calls of administrators. The adapter checks that the caller may make them.
  readonly service: ServiceCalls;

  /** Whether this server should get clients, and the shared parts that do not work. */
  health(): Health;
}

/**
 * A history page with the names to show. They come from the user service if there is one, otherwise
 * from the stored messages.
 */
export interface ShownHistory extends HistoryPage {
  readonly profiles: ReadonlyMap<UserId, UserProfile>;
}

export type { Accepted, Caller, Stored };
