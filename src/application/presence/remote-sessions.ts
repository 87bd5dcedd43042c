import type { SessionEntry, SessionsReport } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';

/** The changes that a report made. */
export interface SessionChanges {
  readonly joined: readonly SessionEntry[];
  readonly left: readonly SessionEntry[];
  /** An earlier report or part is missing. The sender has to be asked for all of its sessions. */
  readonly isIncomplete: boolean;
}

const NONE: SessionChanges = { joined: [], left: [], isIncomplete: false };
const INCOMPLETE: SessionChanges = { ...NONE, isIncomplete: true };

/** A report of all sessions of which some parts have not arrived yet. */
interface OpenReport {
  readonly version: number;
  /** Number of parts that have arrived. */
  parts: number;
  readonly entries: SessionEntry[];
}

/** The sessions of another server process, according to its reports. */
export class RemoteSessions {
  /** Start time of the process. */
  readonly epoch: number;
  readonly #sessions = new Map<string, UserId>();
  /** Version of the last report that was applied. */
  #version = -1;
  #open: OpenReport | null = null;

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  get sessions(): ReadonlyMap<string, UserId> {
    return this.#sessions;
  }

  /** Applies a report of this process. A report that was applied before changes nothing. */
  apply(report: SessionsReport): SessionChanges {
    if (report.type === 'roster') return this.#applyPart(report);
    // A `hello` has the version of the last report, which may be missing here.
    const isNext = report.type !== 'hello' && report.version === this.#version + 1;
    if (!isNext) return report.version > this.#version ? INCOMPLETE : NONE;
    this.#version = report.version;
    return { joined: this.#join(report.joined), left: this.#leave(report.left), isIncomplete: false };
  }

  /**
   * Collects the parts of a report of all sessions and applies it when it is complete. The parts
   * arrive in order.
   */
  #applyPart({ version, part, parts, joined }: SessionsReport): SessionChanges {
    if (part === 1) this.#open = { version, parts: 0, entries: [] };
    const open = this.#open;
    if (open === null || open.version !== version || part !== open.parts + 1) return INCOMPLETE;
    open.parts += 1;
    open.entries.push(...joined);
    if (part !== parts) return NONE;
    this.#open = null;
    this.#version = version;
    const held = new Set(open.entries.map(({ sessionId }) => sessionId));
    const ended = [...this.#sessions.keys()].filter((sessionId) => !held.has(sessionId));
    return { joined: this.#join(open.entries), left: this.#leave(ended), isIncomplete: false };
  }

  #join(entries: readonly SessionEntry[]): SessionEntry[] {
    const joined: SessionEntry[] = [];
    for (const entry of entries) {
      if (this.#sessions.has(entry.sessionId)) continue;
      this.#sessions.set(entry.sessionId, entry.userId);
      joined.push(entry);
    }
    return joined;
  }

  #leave(sessionIds: readonly string[]): SessionEntry[] {
    const left: SessionEntry[] = [];
    for (const sessionId of sessionIds) {
      const userId = this.#sessions.get(sessionId);
      if (userId === undefined) continue;
      this.#sessions.delete(sessionId);
      left.push({ sessionId, userId });
    }
    return left;
  }
}
