import type { SessionEntry, SessionsReport } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';

/** A server without changes reports at least this often, in milliseconds. */
const ALIVE_MS = 2_000;
/** Limit for the sessions in one record. */
const MAX_ENTRIES = 1_000;

export interface OutgoingReportsParts {
  readonly server: string;
  readonly clock: Clock;
  /** Sends the records to the other servers, in order. Never rejects. */
  readonly send: (records: readonly SessionsReport[]) => Promise<void>;
}

/**
 * Sends this server's reports to the other servers. Changes are collected until the next call of
 * `report`. Each report except `hello` and `bye` has a new version, one higher than the last, so
 * that receivers notice a lost report.
 */
export class OutgoingReports {
  readonly #parts: OutgoingReportsParts;
  readonly #epoch: number;
  #joined = new Map<string, UserId>();
  #left: string[] = [];
  #version = 0;
  /** Monotonic time of the last report with a version. */
  #reportedAt: number;

  constructor(parts: OutgoingReportsParts) {
    this.#parts = parts;
    this.#epoch = parts.clock.now();
    this.#reportedAt = parts.clock.monotonic();
  }

  /** Version of the last report that has one. */
  get version(): number {
    return this.#version;
  }

  joined(sessionId: string, userId: UserId): void {
    this.#joined.set(sessionId, userId);
  }

  left(sessionId: string): void {
    // No other server knows a session that began after the last report.
    if (!this.#joined.delete(sessionId)) this.#left.push(sessionId);
  }

  /**
   * Reports the collected changes, or that this server is alive when there are none and the last
   * report is old enough.
   */
  report(): void {
    if (this.#joined.size > 0 || this.#left.length > 0) this.#reportChanges();
    else if (this.#parts.clock.monotonic() - this.#reportedAt >= ALIVE_MS) this.#send([this.#nextRecord('alive')]);
  }

  /** Reports all sessions. The collected changes are part of them. */
  reportAll(sessions: ReadonlyMap<string, UserId>): void {
    this.#joined = new Map();
    this.#left = [];
    const all = entries(sessions);
    const parts = Math.max(1, Math.ceil(all.length / MAX_ENTRIES));
    const record = this.#nextRecord('roster');
    this.#send(
      Array.from({ length: parts }, (_, i) => ({
        ...record,
        joined: all.slice(i * MAX_ENTRIES, (i + 1) * MAX_ENTRIES),
        part: i + 1,
        parts,
      })),
    );
  }

  /** Asks every other server for all of its sessions. */
  ask(): void {
    void this.#parts.send([this.#record('hello')]);
  }

  /** Reports that this server stops. Resolves when the record is sent or given up. */
  async sayBye(): Promise<void> {
    await this.#parts.send([this.#record('bye')]);
  }

  #reportChanges(): void {
    const joined = entries(this.#joined);
    const left = this.#left;
    this.#joined = new Map();
    this.#left = [];
    const records: SessionsReport[] = [];
    for (let i = 0; i < Math.max(joined.length, left.length); i += MAX_ENTRIES) {
      const record = this.#nextRecord('delta');
      records.push({ ...record, joined: joined.slice(i, i + MAX_ENTRIES), left: left.slice(i, i + MAX_ENTRIES) });
    }
    this.#send(records);
  }

  #send(records: readonly SessionsReport[]): void {
    this.#reportedAt = this.#parts.clock.monotonic();
    void this.#parts.send(records);
  }

  #nextRecord(type: SessionsReport['type']): SessionsReport {
    this.#version += 1;
    return this.#record(type);
  }

  #record(type: SessionsReport['type']): SessionsReport {
    const { server } = this.#parts;
    return { kind: 'roster', server, epoch: this.#epoch, version: this.#version, type, joined: [], left: [] };
  }
}

function entries(sessions: ReadonlyMap<string, UserId>): SessionEntry[] {
  return Array.from(sessions, ([sessionId, userId]) => ({ sessionId, userId }));
}
