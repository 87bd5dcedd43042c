import type { SessionEntry, SessionsReport } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';

interface Remote {
  readonly epoch: number;
  version: number;
  heardAt: number;
  sessions: Map<string, UserId>;
  /** Parts of a whole list that is coming in. */
  parts: SessionEntry[];
  partsSeen: number;
  askedAt: number;
}

/** What the clusterSessions tells its owner. All synchronous. */
export interface RosterListener {
  /** The user's first session anywhere; `here`: it is ours. */
  online(userId: UserId, here: boolean): void;
  /** The user's last session anywhere ended; `ours`: it is this server's part to say so. */
  offline(userId: UserId, ours: boolean): void;
  /** A server died, and it is this server's part to end its sessions with the presence service. */
  orphaned(sessions: ReadonlyMap<string, UserId>): void;
  /** We were away so long that others may have given us up. */
  revived(): void;
}

const TICK_MS = 200;
const ALIVE_MS = 2_000;
/** A server that was not heard of for so long is given up, provided that the bus works: our own voice comes back. */
const LEASE_MS = 10_000;
const ECHO_MS = 5_000;
const ASK_MS = 1_000;
const PART = 1_000;
/** Both of a user's last sessions may end at once on two servers, each believing in the other's. */
const SIMULTANEOUS_MS = 5_000;

/**
 * Which users have sessions, over all servers. Servers tell each other over the bus: changes as they come, gathered for a moment; a sign of life else; the whole list to
 * whoever asks or has missed something. The presence service is told by the server that has the session, or, when that died, by the one with the smallest id.
 */
export class ClusterSessions {
  readonly #server: string;
  readonly #epoch: number;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #tell: (records: readonly SessionsReport[]) => Promise<void>;
  readonly #listener: RosterListener;
  readonly #local = new Map<string, UserId>();
  readonly #localCounts = new Map<UserId, number>();
  readonly #counts = new Map<UserId, number>();
  readonly #remotes = new Map<string, Remote>();
  readonly #endedHere = new Map<UserId, number>();
  #joined = new Map<string, UserId>();
  #left: string[] = [];
  #version = 0;
  #toldAt = 0;
  #echoAt: number;
  #tickedAt: number;
  #askedForAll = false;
  #timer: Timer | null = null;

  constructor(parts: {
    server: string;
    clock: Clock;
    telemetry: Telemetry;
    tell: (records: readonly SessionsReport[]) => Promise<void>;
    listener: RosterListener;
  }) {
    this.#server = parts.server;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#tell = parts.tell;
    this.#listener = parts.listener;
    this.#epoch = parts.clock.now();
    this.#echoAt = this.#epoch;
    this.#tickedAt = this.#epoch;
  }

  start(): void {
    this.#tellWhole();
    void this.#tell([this.#record('hello')]);
    this.#plan();
  }

  /** Tells the others that all our sessions end; resolves when it is said, or can't be. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#tell([this.#record('bye')]);
  }

  join(sessionId: string, userId: UserId): void {
    if (this.#local.has(sessionId)) return;
    this.#local.set(sessionId, userId);
    this.#localCounts.set(userId, (this.#localCounts.get(userId) ?? 0) + 1);
    this.#joined.set(sessionId, userId);
    if (this.#count(userId, 1)) this.#listener.online(userId, true);
  }

  leave(sessionId: string): void {
    const userId = this.#local.get(sessionId);
    if (userId === undefined) return;
    this.#local.delete(sessionId);
    const here = (this.#localCounts.get(userId) ?? 1) - 1;
    if (here === 0) {
      this.#localCounts.delete(userId);
      this.#endedHere.set(userId, this.#clock.now());
    } else this.#localCounts.set(userId, here);
    if (!this.#joined.delete(sessionId)) this.#left.push(sessionId);
    if (this.#count(userId, -1)) this.#listener.offline(userId, true);
  }

  /** Sessions of that user on this server. */
  sessionsHere(userId: UserId): number {
    return this.#localCounts.get(userId) ?? 0;
  }

  /** No other server is heard of. */
  get isAlone(): boolean {
    return this.#remotes.size === 0;
  }

  /** Session ids of this server. */
  get local(): ReadonlyMap<string, UserId> {
    return this.#local;
  }

  isOnline(userId: UserId): boolean {
    return this.#counts.has(userId);
  }

  /** A record of our own came back: the bus works in both directions. */
  echo(): void {
    this.#echoAt = this.#clock.now();
  }

  /** Another server told about its sessions. */
  heard(told: SessionsReport): void {
    if (told.server === this.#server) return;
    const now = this.#clock.now();
    if (told.what === 'hello') this.#askedForAll = true;
    let remote = this.#remotes.get(told.server);
    if (remote !== undefined && remote.epoch > told.epoch) return;
    if (remote !== undefined && remote.epoch < told.epoch) {
      // Its former life is over; nobody ended those sessions.
      this.#giveUp(told.server, remote);
      remote = undefined;
    }
    if (told.what === 'bye') {
      if (remote !== undefined) this.#forget(told.server, remote);
      return;
    }
    if (remote === undefined) {
      remote = {
        epoch: told.epoch,
        version: -1,
        heardAt: now,
        sessions: new Map(),
        parts: [],
        partsSeen: 0,
        askedAt: 0,
      };
      this.#remotes.set(told.server, remote);
    }
    remote.heardAt = now;
    if (told.what === 'roster') this.#takeWhole(remote, told);
    else if (told.version === remote.version + 1) {
      remote.version = told.version;
      for (const { sessionId, userId } of told.joined) this.#remoteJoined(remote, sessionId, userId);
      for (const sessionId of told.left) this.#remoteLeft(remote, sessionId);
    } else if (told.what !== 'hello' && told.version > remote.version) this.#ask(remote, now);
  }

  #takeWhole(remote: Remote, told: SessionsReport): void {
    if (told.part === 1) {
      remote.parts = [];
      remote.partsSeen = 0;
    }
    if (told.part !== remote.partsSeen + 1) {
      this.#ask(remote, this.#clock.now());
      return;
    }
    remote.partsSeen += 1;
    remote.parts.push(...told.joined);
    if (told.part !== told.parts) return;
    const sessions = new Map(remote.parts.map(({ sessionId, userId }) => [sessionId, userId]));
    remote.parts = [];
    remote.partsSeen = 0;
    remote.version = told.version;
    for (const sessionId of [...remote.sessions.keys()])
      if (!sessions.has(sessionId)) this.#remoteLeft(remote, sessionId);
    for (const [sessionId, userId] of sessions) this.#remoteJoined(remote, sessionId, userId);
  }

  #ask(remote: Remote, now: number): void {
    if (now - remote.askedAt < ASK_MS) return;
    remote.askedAt = now;
    void this.#tell([this.#record('hello')]);
  }

  #remoteJoined(remote: Remote, sessionId: string, userId: UserId): void {
    if (remote.sessions.has(sessionId)) return;
    remote.sessions.set(sessionId, userId);
    if (this.#count(userId, 1)) this.#listener.online(userId, false);
  }

  #remoteLeft(remote: Remote, sessionId: string, ours = false): void {
    const userId = remote.sessions.get(sessionId);
    if (userId === undefined) return;
    remote.sessions.delete(sessionId);
    if (!this.#count(userId, -1)) return;
    const endedHere = this.#endedHere.get(userId) ?? Number.NEGATIVE_INFINITY;
    this.#listener.offline(userId, ours || this.#clock.now() - endedHere < SIMULTANEOUS_MS);
  }

  /** Changes a user's number of sessions; true when it became, or was, none. */
  #count(userId: UserId, by: 1 | -1): boolean {
    const before = this.#counts.get(userId) ?? 0;
    const after = before + by;
    if (after <= 0) this.#counts.delete(userId);
    else this.#counts.set(userId, after);
    return before <= 0 || after <= 0;
  }

  #plan(): void {
    this.#timer = this.#clock.after(TICK_MS, () => {
      this.#plan();
      this.#tick();
    });
  }

  #tick(): void {
    const now = this.#clock.now();
    const away = now - this.#tickedAt;
    this.#tickedAt = now;
    for (const [userId, at] of this.#endedHere) if (now - at > SIMULTANEOUS_MS) this.#endedHere.delete(userId);
    if (away > LEASE_MS / 2) {
      this.#echoAt = Number.NEGATIVE_INFINITY;
      this.#tellWhole();
      this.#listener.revived();
    }
    this.#tellChanges(now);
    for (const [server, remote] of this.#remotes) {
      // Deaf ourselves: silence says nothing about others, and their time begins anew.
      if (now - this.#echoAt > ECHO_MS) remote.heardAt = now;
      else if (now - remote.heardAt > LEASE_MS) this.#giveUp(server, remote);
    }
  }

  #tellChanges(now: number): void {
    if (this.#askedForAll) this.#tellWhole();
    else if (this.#joined.size > 0 || this.#left.length > 0) {
      const joined = entries(this.#joined);
      const left = this.#left;
      this.#joined = new Map();
      this.#left = [];
      const records: SessionsReport[] = [];
      for (let i = 0; i < Math.max(joined.length, left.length); i += PART) {
        this.#version += 1;
        records.push({ ...this.#record('delta'), joined: joined.slice(i, i + PART), left: left.slice(i, i + PART) });
      }
      this.#toldAt = now;
      void this.#tell(records);
    } else if (now - this.#toldAt >= ALIVE_MS) {
      this.#version += 1;
      this.#toldAt = now;
      void this.#tell([this.#record('alive')]);
    }
  }

  #tellWhole(): void {
    this.#askedForAll = false;
    this.#joined = new Map();
    this.#left = [];
    this.#version += 1;
    this.#toldAt = this.#clock.now();
    const all = entries(this.#local);
    const parts = Math.max(1, Math.ceil(all.length / PART));
    void this.#tell(
      Array.from({ length: parts }, (_, i) => ({
        ...this.#record('roster'),
        joined: all.slice(i * PART, (i + 1) * PART),
        part: i + 1,
        parts,
      })),
    );
  }

  #record(what: SessionsReport['what']): SessionsReport {
    return {
      kind: 'roster',
      server: this.#server,
      epoch: this.#epoch,
      version: this.#version,
      what,
      joined: [],
      left: [],
    };
  }

  /** True where no live server has a smaller id. */
  #isFirst(without: string): boolean {
    for (const server of this.#remotes.keys()) if (server !== without && server < this.#server) return false;
    return true;
  }

  #giveUp(server: string, remote: Remote): void {
    const ours = this.#isFirst(server);
    this.#telemetry.count('servers_given_up');
    this.#telemetry.log('warn', 'a server was given up', { server, sessions: remote.sessions.size, ours });
    if (ours && remote.sessions.size > 0) this.#listener.orphaned(new Map(remote.sessions));
    this.#forget(server, remote);
  }

  #forget(server: string, remote: Remote): void {
    const ours = this.#isFirst(server);
    this.#remotes.delete(server);
    for (const sessionId of [...remote.sessions.keys()]) this.#remoteLeft(remote, sessionId, ours);
  }
}

function entries(sessions: ReadonlyMap<string, UserId>): SessionEntry[] {
  return Array.from(sessions, ([sessionId, userId]) => ({ sessionId, userId }));
}
