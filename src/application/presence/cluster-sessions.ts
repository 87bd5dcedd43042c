import type { ChatEvent } from '../../domain/chat-event.ts';
import type { SessionsReport } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { Liveness } from './liveness.ts';
import { OutgoingReports } from './outgoing-reports.ts';
import { RemoteSessions } from './remote-sessions.ts';
import { SessionCounts } from './session-counts.ts';

/**
 * The part of this server in announcing that a user went offline. `own`: it announces this.
 * `fallback`: it does so if no other server does it first. `none`: another server does it.
 */
export type Responsibility = 'own' | 'fallback' | 'none';

/** Receives changes of the cluster's sessions. All calls are synchronous and must not throw. */
export interface ClusterSessionsListener {
  /** The user's first session in the cluster began. `isHere`: it is on this server. */
  online(userId: UserId, isHere: boolean): void;
  /** The user's last session in the cluster ended. */
  offline(userId: UserId, responsibility: Responsibility): void;
  /** A server died, and this server has to end its sessions with the presence service. */
  orphaned(sessions: ReadonlyMap<string, UserId>): void;
  /** This process was absent for so long that the other servers may have given it up. */
  revived(): void;
}

export interface ClusterSessionsParts {
  readonly server: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Sends the records to the other servers, in order. Never rejects. */
  readonly send: (records: readonly SessionsReport[]) => Promise<void>;
  readonly listener: ClusterSessionsListener;
}

/** Interval of reports and of the check of leases, in milliseconds. */
const TICK_MS = 200;
/** Minimum interval between two `hello` reports that the same server causes, in milliseconds. */
const ASK_MS = 1_000;
/**
 * The last two sessions of a user that end on two servers within this time, in milliseconds, count
 * as ending at once.
 */
const SIMULTANEOUS_MS = 5_000;
/**
 * Time in which a successor reports the end of a gone server's sessions, in milliseconds. A
 * successor that is still heard after this time has finished.
 */
const SUCCESSOR_DONE_MS = 4_000;

/** A return ends after this time, in milliseconds, even if the bus brings nothing. */
const MAX_RETURN_MS = 30_000;

/**
 * A user counts as being at another server for this time after a session there, in milliseconds.
 */
const ELSEWHERE_MS = 60_000;
const MAX_ENDED_ELSEWHERE = 50_000;

/** Sessions of a server that is gone, with the server that has to report their end. */
interface Succession {
  readonly sessions: ReadonlyMap<string, UserId>;
  readonly successor: string;
  /** Monotonic time at which the server was found gone. */
  readonly since: number;
}

/**
 * Knows which users have sessions in the cluster.
 *
 * Servers report their sessions to each other over the bus (`OutgoingReports`, `RemoteSessions`),
 * and give up a server that is silent for too long (`Liveness`). The server that has a session
 * reports it to the presence service and announces its user. For a server that is gone, its
 * successor does so: the live server with the smallest id. When the successor dies too early, the
 * next server takes over.
 */
export class ClusterSessions {
  readonly #parts: ClusterSessionsParts;
  /** The sessions of this server. */
  readonly #local = new Map<string, UserId>();
  readonly #localCounts = new SessionCounts();
  /** Sessions on all servers. */
  readonly #counts = new SessionCounts();
  readonly #remotes = new Map<string, RemoteSessions>();
  readonly #reports: OutgoingReports;
  readonly #liveness: Liveness;
  /** Monotonic time at which each user's last session on this server ended. */
  readonly #endedHere = new Map<UserId, number>();
  /** Monotonic time at which each user's last session on another server ended. */
  readonly #endedElsewhere = new BoundedMap<UserId, number>(MAX_ENDED_ELSEWHERE);
  /** Monotonic time of the last `hello` report that each server caused. */
  readonly #askedAt = new Map<string, number>();
  #successions: Succession[] = [];
  /** Another server has asked for all sessions of this server. */
  #isAsked = false;
  #timer: Timer | null = null;
  /** The report that was sent on return from an absence, and the monotonic time. */
  #return: { readonly version: number; readonly at: number } | null = null;

  constructor(parts: ClusterSessionsParts) {
    this.#parts = parts;
    this.#reports = new OutgoingReports(parts);
    this.#liveness = new Liveness(parts.clock);
  }

  /** Reports all sessions of this server and asks the other servers for theirs. */
  start(): void {
    this.#reports.reportAll(this.#local);
    this.#reports.ask();
    this.#schedule();
  }

  /** Reports that all sessions of this server end. Resolves when the report is sent or given up. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#reports.sayBye();
  }

  join(sessionId: string, userId: UserId): void {
    if (this.#local.has(sessionId)) return;
    this.#local.set(sessionId, userId);
    this.#localCounts.add(userId);
    this.#reports.joined(sessionId, userId);
    if (this.#counts.add(userId)) this.#parts.listener.online(userId, true);
  }

  leave(sessionId: string): void {
    const userId = this.#local.get(sessionId);
    if (userId === undefined) return;
    this.#local.delete(sessionId);
    if (this.#localCounts.remove(userId)) this.#endedHere.set(userId, this.#parts.clock.monotonic());
    this.#reports.left(sessionId);
    if (this.#counts.remove(userId)) this.#parts.listener.offline(userId, 'own');
  }

  /** Number of sessions of the user on this server. */
  sessionsHere(userId: UserId): number {
    return this.#localCounts.of(userId);
  }

  /** Number of sessions of the user on all servers. Those of a dead server end with its lease. */
  sessionsOf(userId: UserId): number {
    return this.#counts.of(userId);
  }

  /** True if the user has a session on another server, or had one within the last minute. */
  isElsewhere(userId: UserId): boolean {
    if (this.#counts.of(userId) > this.#localCounts.of(userId)) return true;
    const endedAt = this.#endedElsewhere.get(userId);
    return endedAt !== undefined && this.#parts.clock.monotonic() - endedAt < ELSEWHERE_MS;
  }

  /** Users with a session on this server. */
  get usersHere(): number {
    return this.#localCounts.users;
  }

  /** Users with a session on any server. */
  get users(): number {
    return this.#counts.users;
  }

  /** Live servers, this one included. */
  get servers(): number {
    return this.#remotes.size + 1;
  }

  /** True while no other server is known. */
  get isAlone(): boolean {
    return this.#remotes.size === 0;
  }

  /** Ids of the other servers that are known to be alive. */
  get others(): Iterable<string> {
    return this.#remotes.keys();
  }

  /** Number of known live servers with a smaller id. */
  get rank(): number {
    let rank = 0;
    for (const other of this.#remotes.keys()) if (other < this.#parts.server) rank += 1;
    return rank;
  }

  isOnline(userId: UserId): boolean {
    return this.#counts.of(userId) > 0;
  }

  /**
   * True after this process was absent, until it has read the reports that it missed. A report that
   * it sends when it returns comes back behind them.
   */
  get isReturning(): boolean {
    if (this.#return === null) return false;
    if (this.#parts.clock.monotonic() - this.#return.at > MAX_RETURN_MS) this.#return = null;
    return this.#return !== null;
  }

  /** A report of this server came back from the bus. @param read decodes the record */
  echo(read: () => ChatEvent | null): void {
    this.#liveness.echo();
    if (this.#return === null) return;
    const report = read();
    if (report?.kind === 'roster' && report.version >= this.#return.version) this.#return = null;
  }

  /** A report arrived. */
  heard(report: SessionsReport): void {
    const { server, epoch, type } = report;
    if (server === this.#parts.server) return;
    if (type === 'hello') this.#isAsked = true;
    let remote = this.#remotes.get(server);
    if (remote !== undefined && remote.epoch > epoch) return;
    if (remote !== undefined && remote.epoch < epoch) {
      // The server was restarted, and nobody has ended the sessions of its former process.
      this.#giveUp(server, remote);
      remote = undefined;
    }
    if (type === 'bye') {
      if (remote !== undefined) this.#remove(server, remote);
      return;
    }
    if (remote === undefined) {
      remote = new RemoteSessions(epoch);
      this.#remotes.set(server, remote);
    }
    this.#liveness.heard(server);
    const { joined, left, isIncomplete } = remote.apply(report);
    for (const { userId } of joined) if (this.#counts.add(userId)) this.#parts.listener.online(userId, false);
    for (const { userId } of left) this.#countEnded(userId, this.#responsibilityFor(userId, server));
    if (isIncomplete) this.#askBecauseOf(server);
  }

  #schedule(): void {
    this.#timer = this.#parts.clock.after(TICK_MS, () => {
      this.#schedule();
      this.#tick();
    });
  }

  #tick(): void {
    const { wasAbsent, expired } = this.#liveness.check();
    this.#dropOutdated();
    if (wasAbsent || this.#isAsked) {
      this.#isAsked = false;
      this.#reports.reportAll(this.#local);
    } else this.#reports.report();
    if (wasAbsent) {
      this.#return = { version: this.#reports.version, at: this.#parts.clock.monotonic() };
      this.#parts.listener.revived();
    }
    for (const server of expired) {
      const remote = this.#remotes.get(server);
      if (remote !== undefined) this.#giveUp(server, remote);
    }
  }

  #dropOutdated(): void {
    const now = this.#parts.clock.monotonic();
    for (const [userId, at] of this.#endedHere) if (now - at > SIMULTANEOUS_MS) this.#endedHere.delete(userId);
    if (this.#successions.length === 0) return;
    this.#successions = this.#successions.filter(
      ({ successor, since }) => (this.#liveness.lastHeard(successor) ?? now) - since < SUCCESSOR_DONE_MS,
    );
  }

  #askBecauseOf(server: string): void {
    const now = this.#parts.clock.monotonic();
    if (now - (this.#askedAt.get(server) ?? Number.NEGATIVE_INFINITY) < ASK_MS) return;
    this.#askedAt.set(server, now);
    this.#reports.ask();
  }

  #countEnded(userId: UserId, responsibility: Responsibility): void {
    this.#endedElsewhere.set(userId, this.#parts.clock.monotonic());
    if (this.#counts.remove(userId)) this.#parts.listener.offline(userId, responsibility);
  }

  /**
   * A session on another server ended. When the user's session on this server has just ended too,
   * each server may have taken the session on the other one for the last. The server with the
   * smaller id then announces the end, and the other one is the fallback.
   */
  #responsibilityFor(userId: UserId, server: string): Responsibility {
    const endedAt = this.#endedHere.get(userId) ?? Number.NEGATIVE_INFINITY;
    if (this.#parts.clock.monotonic() - endedAt >= SIMULTANEOUS_MS) return 'none';
    return this.#parts.server < server ? 'own' : 'fallback';
  }

  /** A server died, or it was restarted and its former process died. */
  #giveUp(server: string, remote: RemoteSessions): void {
    const { sessions } = remote;
    const isOurs = this.#successorOf(server) === this.#parts.server;
    this.#parts.telemetry.count('servers_given_up');
    this.#parts.telemetry.log('warn', 'another server is dead and was given up', {
      server,
      sessions: sessions.size,
      isOurs,
    });
    if (isOurs && sessions.size > 0) this.#parts.listener.orphaned(new Map(sessions));
    this.#remove(server, remote);
  }

  /** Removes a server that is gone, and its sessions. */
  #remove(server: string, { sessions }: RemoteSessions): void {
    const successor = this.#successorOf(server);
    this.#remotes.delete(server);
    this.#liveness.forget(server);
    this.#askedAt.delete(server);
    if (successor !== this.#parts.server && sessions.size > 0) {
      this.#successions.push({ sessions, successor, since: this.#parts.clock.monotonic() });
    }
    for (const userId of sessions.values()) {
      this.#countEnded(userId, successor === this.#parts.server ? 'own' : this.#responsibilityFor(userId, server));
    }
    this.#takeOver(server);
  }

  /**
   * The gone server may have been the successor of others. Their sessions go to its own successor,
   * which may be this server.
   */
  #takeOver(server: string): void {
    const open = this.#successions.filter(({ successor }) => successor === server);
    if (open.length === 0) return;
    const successor = this.#successorOf(server);
    this.#successions = this.#successions.filter((succession) => !open.includes(succession));
    for (const { sessions, since } of open) {
      if (successor !== this.#parts.server) {
        this.#successions.push({ sessions, successor, since });
        continue;
      }
      this.#parts.listener.orphaned(sessions);
      const gone = new Set([...sessions.values()].filter((userId) => !this.isOnline(userId)));
      for (const userId of gone) this.#parts.listener.offline(userId, 'own');
    }
  }

  /** The live server with the smallest id, without the one that is gone. */
  #successorOf(server: string): string {
    let successor = this.#parts.server;
    for (const other of this.#remotes.keys()) if (other !== server && other < successor) successor = other;
    return successor;
  }
}
