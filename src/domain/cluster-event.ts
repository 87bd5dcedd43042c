import type { UserId } from './ids.ts';
import type { MemberListKey } from './place.ts';

/** A room or community has other members now. Every server updates its lists and ends the live subscriptions of users who were removed. */
export interface MembersChanged {
  readonly kind: 'members-changed';
  readonly place: MemberListKey;
  /** The whole list that holds from now on. */
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
 * - `hello`: the sender starts and asks every server for all of its sessions
 * - `roster`: all sessions of the sender, in `parts` records of one `version`
 * - `delta`: changes since the last record; `version` grows by one a record, so that a lost record is noticed
 * - `alive`: no changes
 * - `bye`: the sender stops, and its sessions have ended
 */
export interface SessionsReport {
  readonly kind: 'roster';
  readonly server: string;
  /** Start time of the server process, in milliseconds since 1970. A restart begins a new epoch. */
  readonly epoch: number;
  readonly version: number;
  readonly type: 'hello' | 'roster' | 'delta' | 'alive' | 'bye';
  readonly joined: readonly SessionEntry[];
  readonly left: readonly string[];
  /** `roster` only: number of this record, 1 to `parts`. */
  readonly part?: number;
  readonly parts?: number;
}

/** An event between servers. No client sees it as it is. */
export type ClusterEvent = MembersChanged | SessionsReport;
