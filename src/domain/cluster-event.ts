import type { UserId } from './ids.ts';
import type { ConversationKey, MemberListKey, PlaceKey } from './place.ts';
import type { TraceStep, TraceSubject } from './trace.ts';

/**
 * A room or community has other members now. Every server updates its lists and ends the live
 * subscriptions of users who were removed.
 */
export interface MembersChanged {
  readonly kind: 'members-changed';
  readonly place: MemberListKey;
  /** The new list of all members. */
  readonly members: readonly UserId[];
}

/** A session as servers report it to each other. */
export interface SessionEntry {
  readonly sessionId: string;
  readonly userId: UserId;
}

/**
 * A server's report about its sessions to the other servers.
 *
 * - `hello`: a question to every server for all of its sessions, at a start and when a report is
 * missing
 * - `roster`: all sessions of the sender, in `parts` records of one version
 * - `delta`: changes since the last report
 * - `alive`: no changes
 * - `bye`: the sender stops, and its sessions have ended
 */
export interface SessionsReport {
  readonly kind: 'roster';
  readonly server: string;
  /** Start time of the server process, in milliseconds since 1970. A restart begins a new epoch. */
  readonly epoch: number;
  /**
   * Number of the report, one higher than that of the sender's last report, so that a lost one is
   * noticed. `hello` and `bye` have the number of the last report.
   */
  readonly version: number;
  readonly type: 'hello' | 'roster' | 'delta' | 'alive' | 'bye';
  readonly joined: readonly SessionEntry[];
  readonly left: readonly string[];
  /** `roster` only: number of this record, 1 to `parts`. */
  readonly part?: number;
  readonly parts?: number;
}

/** A user has read a place up to the number `seq`, in a session of the sender. */
export interface PlaceRead {
  readonly kind: 'read';
  readonly userId: UserId;
  readonly place: ConversationKey;
  readonly seq: number;
}

/** Administrators gave orders up to number `seq`. Each server reads them from the store. */
export interface ModerationChanged {
  readonly kind: 'moderation-changed';
  readonly server: string;
  readonly seq: number;
}

/**
 * A question that every server answers:
 *
 * - `sessions`: the sessions of a user
 * - `presence`: the users who are subscribed to a place or look at it
 * - `server`: the state of the server
 * - `busiest`: the places with the most deliveries
 * - `slow`: the sessions with the most waiting bytes
 * - `forget`: a user is erased. The server ends their sessions and drops what its memory holds
 * - `trace`: the steps of a trace
 */
export type Question =
  | { readonly type: 'sessions'; readonly userId: UserId }
  | { readonly type: 'presence'; readonly place: PlaceKey }
  | { readonly type: 'server' }
  | { readonly type: 'busiest' }
  | { readonly type: 'slow' }
  | { readonly type: 'forget'; readonly userId: UserId }
  | TraceQuestion;

/**
 * Begins or continues a trace on a server, and asks for the steps that it has seen. A trace ends on
 * a server that is not asked any more.
 */
export interface TraceQuestion {
  readonly type: 'trace';
  readonly id: string;
  readonly subject: TraceSubject;
  /** Time until the trace ends, in milliseconds. */
  readonly remainingMs: number;
  /** Identifies the reading; null if nobody reads the trace yet. */
  readonly reader: string | null;
  /** True if the server should hand out the steps and forget them. */
  readonly take: boolean;
  /** True if the trace is over. */
  readonly ends: boolean;
  /** Identifies the call that began the trace, so that a repeat is noticed; null for none. */
  readonly nonceKey: string | null;
}

/** A session of a user, as its server sees it. */
export interface ShownSession {
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
  /** Address of the client; empty if unknown. */
  readonly address: string;
  /** Such as `websocket` or `xhr_streaming`. */
  readonly transport: string;
  /** The subscribed places, each once. Some are left out where there are very many. */
  readonly places: readonly PlaceKey[];
  /** Number of all subscriptions. */
  readonly subscriptions: number;
  /** Bytes that wait for the client. */
  readonly waitingBytes: number;
}

/** The users in a place, as one server sees them. Each user stands once in a list. */
export interface ShownPresence {
  readonly subscribed: readonly UserId[];
  readonly looking: readonly UserId[];
  /** Users that are left out, where there are very many. */
  readonly leftOut: number;
}

/** The traffic of a place on one server, in the seconds that were measured. */
export interface ShownTraffic {
  readonly place: PlaceKey;
  /** Events of the place, also those that nobody of this server is subscribed to. */
  readonly events: number;
  /** Events handed to subscriptions. */
  readonly deliveries: number;
  /** Live subscriptions now. */
  readonly subscriptions: number;
}

/** A session for which bytes wait. */
export interface ShownSlowClient {
  readonly userId: UserId;
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
  /** Address of the client; empty if unknown. */
  readonly address: string;
  /** Such as `websocket` or `xhr_streaming`. */
  readonly transport: string;
  /** Number of all subscriptions. */
  readonly subscriptions: number;
  readonly waitingBytes: number;
}

/** The state of a server. */
export interface ShownServer {
  readonly version: string;
  /** When the process started, in milliseconds since 1970. */
  readonly since: number;
  readonly sessions: number;
  readonly subscriptions: number;
  /** Events handed to subscriptions in the last second. */
  readonly deliveriesPerSecond: number;
  /** Messages and replies that clients sent here in the last second. Null: an older server. */
  readonly messagesPerSecond: number | null;
  /** Part of the last second in which the event loop was busy, 0 to 1. Null: an older server. */
  readonly eventLoopUtilization: number | null;
  /**
   * Longest time that the event loop kept others waiting in the last second, in milliseconds. Null
   * until it was measured for a second; servers measure it while somebody asks.
   */
  readonly eventLoopDelayMs: number | null;
  /** Memory of the process. Null: an older server. */
  readonly memoryBytes: number | null;
  /** Records of the bus that wait to be read; null if the bus does not say. */
  readonly lag: number | null;
  readonly ready: boolean;
  /** Why it should get no clients. Human-readable. */
  readonly reasons: readonly string[];
  /** Shared parts that do not work. Human-readable. */
  readonly degraded: readonly string[];
}

export type Answer =
  | { readonly type: 'sessions'; readonly sessions: readonly ShownSession[] }
  | ({ readonly type: 'presence' } & ShownPresence)
  | ({ readonly type: 'server' } & ShownServer)
  | {
      readonly type: 'busiest';
      /** How long was measured; 0 if it has just begun. */
      readonly seconds: number;
      /** The busiest first. */
      readonly places: readonly ShownTraffic[];
    }
  | {
      readonly type: 'slow';
      /** The slowest first. */
      readonly clients: readonly ShownSlowClient[];
      /** Clients for which bytes wait and that are left out. */
      readonly leftOut: number;
    }
  | {
      readonly type: 'forgotten';
      /** Sessions of the user that this server ends. */
      readonly sessions: number;
    }
  | TraceAnswer;

export interface TraceAnswer {
  readonly type: 'trace';
  /** Another reading takes the steps. */
  readonly isTaken: boolean;
  /** Steps since the trace began on this server, dropped ones included. */
  readonly total: number;
  readonly steps: readonly TraceStep[];
}

/** A server asks all others. `id` cannot be guessed. */
export interface ClusterQuestion {
  readonly kind: 'question';
  readonly server: string;
  readonly id: string;
  readonly question: Question;
}

/** The answer of `server` to the question with this id. */
export interface ClusterAnswer {
  readonly kind: 'answer';
  readonly server: string;
  readonly id: string;
  readonly answer: Answer;
}

/** An event that servers send to each other. Clients do not receive it. */
export type ClusterEvent =
  | MembersChanged
  | SessionsReport
  | PlaceRead
  | ModerationChanged
  | ClusterQuestion
  | ClusterAnswer;
