import type { ShownPresence, ShownServer, ShownSession, ShownSlowClient } from '../domain/cluster-event.ts';
import type { CommunityId, MessageId, UserId } from '../domain/ids.ts';
import type { Ban, Mute, SlowMode } from '../domain/moderation.ts';
import type { ConversationKey, PlaceKey } from '../domain/place.ts';
import type { TraceStep, TraceSubject } from '../domain/trace.ts';
import type { Stored } from './commands.ts';
import type { GivenBan, GivenMute, GivenSlowMode } from './moderation/restrictions.ts';
import type { ErasureMode } from './ports/job-store.ts';
import type { JobReport } from './retention/data-jobs.ts';
import type { ExportLine } from './retention/export-user.ts';

/** A message or reply that an administrator sends in the name of a user. */
export interface ServiceMessage {
  readonly place: ConversationKey;
  readonly userId: UserId;
  readonly content: string;
  /** The channel's community, where the administrator knows it. */
  readonly communityId: CommunityId | null;
  /** The message that a reply answers; null for a message. */
  readonly parentId: MessageId | null;
  readonly nonce: string | null;
}

export interface ServiceDeletion {
  readonly place: ConversationKey;
  readonly id: MessageId;
}

/** The deletion, and the author of the deleted message. */
export interface StoredDeletion extends Stored {
  readonly userId: UserId;
}

/** What all servers see. */
export interface ClusterView<T> {
  readonly seen: T;
  /** Ids of live servers that did not answer in time. */
  readonly missing: readonly string[];
}

/** A thing, with the id of the server that shows it. */
export type OfServer<T> = T & { readonly server: string };

/** The traffic of a place over all servers. */
export interface PlaceRates {
  readonly place: PlaceKey;
  /** Events of the place. */
  readonly eventsPerSecond: number;
  /** Events handed to subscriptions of any server. */
  readonly deliveriesPerSecond: number;
  /** Live subscriptions on the servers where the place is among the busiest. */
  readonly subscriptions: number;
}

/** The sessions for which bytes wait. */
export interface SlowClients {
  /** The slowest first. */
  readonly clients: readonly OfServer<ShownSlowClient>[];
  /** How many more there are. */
  readonly leftOut: number;
}

export interface NewTrace {
  readonly subject: TraceSubject;
  /** 1 to 10. */
  readonly minutes: number;
  /** Key of the administrator for beginning the trace once. */
  readonly nonce: string | null;
}

export interface BegunTrace {
  readonly id: string;
  readonly subject: TraceSubject;
  /** When it ends, in milliseconds since 1970. */
  readonly until: number;
  /** Ids of live servers that did not confirm that they watch. */
  readonly missing: readonly string[];
}

/**
 * A line of a trace. `begin` comes first. `server`: a server joined, or does not answer. `dropped`:
 * a server had to leave out steps. `alive`: there was nothing for 10 s. `end`: the time is over, or
 * the server that the reader is connected to stops.
 */
export type TraceLine =
  | {
      readonly type: 'begin';
      readonly id: string;
      readonly subject: TraceSubject;
      readonly until: number;
      readonly servers: readonly string[];
      readonly missing: readonly string[];
    }
  | ({ readonly type: 'step'; readonly server: string } & TraceStep)
  | { readonly type: 'server'; readonly server: string; readonly state: 'watching' | 'silent' }
  | { readonly type: 'dropped'; readonly server: string; readonly count: number }
  | { readonly type: 'alive' }
  | { readonly type: 'end'; readonly reason: 'time' | 'server' };

/** A trace that is being read, once. */
export interface TraceStream {
  /**
   * The lines in the pace of the reader. Steps of several servers are in the order of their times
   * within a second.
   */
  lines(): AsyncGenerator<TraceLine, void, void>;
  /** Ends the trace, because the reader is gone. */
  close(): void;
}

/**
 * The calls of administrators. The adapter checks that the caller is one. A method that fails
 * rejects with a `Refusal`.
 */
export interface ServiceCalls {
  /**
   * Stores a message or reply in the name of a user. Membership, bans, mutes, rates, slow mode and
   * the moderator do not stop it. A room must exist. A repeat with the same nonce within 24 hours
   * is answered with the first message.
   * @throws Refusal `bad-input`, `too-large`, `not-permitted`, `message-not-found`, `try-again`,
   * `store-failed`
   */
  sendMessage(message: ServiceMessage): Promise<Stored>;
  /**
   * Deletes a message of any author.
   * @throws Refusal `message-not-found`, `try-again`, `store-failed`
   */
  deleteMessage(deletion: ServiceDeletion): Promise<StoredDeletion>;

  // When an order resolves, it is stored and this server obeys it. The other servers obey within
  // 2 s, and all of them after a restart. `admin` is the name of the administrator. Orders reject
  // with `bad-input`, `try-again` and `store-failed`.

  /** Ends the user's sessions. Resolves to their number on all servers. */
  disconnect(admin: string, userId: UserId): Promise<number>;
  /** Ends the user's sessions and refuses everything that they try, until the ban ends. */
  ban(admin: string, ban: Ban): Promise<void>;
  unban(admin: string, userId: UserId): Promise<void>;
  /**
   * Refuses what the user writes in the place or everywhere. Deleting own messages stays allowed.
   */
  mute(admin: string, mute: Mute): Promise<void>;
  unmute(admin: string, mute: Omit<Mute, 'until'>): Promise<void>;
  slowMode(admin: string, slowMode: SlowMode): Promise<void>;
  /** The bans that hold now. */
  bans(): readonly GivenBan[];
  mutes(): readonly GivenMute[];
  slowModes(): readonly GivenSlowMode[];

  /** The user's sessions on all servers, the oldest first. */
  sessions(userId: UserId): Promise<ClusterView<readonly OfServer<ShownSession>[]>>;
  /** The users who are subscribed to the place or look at it on any server, by ascending id. */
  presence(place: PlaceKey): Promise<ClusterView<ShownPresence>>;
  /** The live servers, by id. */
  servers(): Promise<ClusterView<readonly OfServer<ShownServer>[]>>;
  /**
   * The places with the most deliveries in the last 5 to 10 s, at most `max`. Takes a second longer
   * where nobody has asked in the last seconds.
   */
  busiest(max: number): Promise<ClusterView<readonly PlaceRates[]>>;
  /** The sessions with the most waiting bytes, at most `max`. */
  slowClients(max: number): Promise<ClusterView<SlowClients>>;
  /**
   * Begins a trace of a user or place on all servers. A repeat with the same nonce, while the trace
   * lasts, is answered with it. A trace that nobody reads ends after a minute.
   * @throws Refusal `bad-input`; `too-fast` if there are too many traces
   */
  beginTrace(admin: string, trace: NewTrace): Promise<BegunTrace>;
  /**
   * Reads a trace, also one that was begun at another server. Null if there is none. A trace has
   * one reader at a time: `taken` for another one.
   */
  readTrace(id: string): Promise<TraceStream | 'taken' | null>;
  /** Lists everything that is stored of a user, of any size. The last line is `end`. */
  exportUser(userId: UserId): AsyncGenerator<ExportLine, void, void>;
  /**
   * Begins the erasure of a user over all places, files and the event log. A dry run counts what it
   * would change. The user should be banned before, so that nothing new comes.
   * @throws Refusal `try-again`, `store-failed`
   */
  eraseUser(userId: UserId, mode: ErasureMode, dryRun: boolean): Promise<JobReport>;
  /**
   * Begins a run that counts what retention would remove after so many days and changes nothing.
   * Null: the configured days.
   * @throws Refusal `bad-input` if nothing expires; `try-again`, `store-failed`
   */
  tryRetention(days: number | null, fileDays: number | null): Promise<JobReport>;
  /** A job, also of another server; null if there is none. */
  job(id: string): Promise<JobReport | null>;
  /** The newest jobs of all servers, at most 200. */
  jobs(): Promise<readonly JobReport[]>;
}
