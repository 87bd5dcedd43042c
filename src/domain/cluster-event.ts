import type { UserId } from './ids.ts';
import type { ConversationKey, MemberListKey } from './place.ts';

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

/** An event that servers send to each other. Clients do not receive it. */
export type ClusterEvent = MembersChanged | SessionsReport | PlaceRead;
