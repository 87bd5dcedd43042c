import { RecordedTelemetry } from '../../../../dev/recorded-telemetry.ts';
import { ClusterSessions } from '../../../../src/application/presence/cluster-sessions.ts';
import type { SessionsReport } from '../../../../src/domain/cluster-event.ts';
import { HandClock } from '../../../support/hand-clock.ts';

/** Smaller than the interval in which servers report, in milliseconds. */
const STEP_MS = 50;

/** One server of a {@link SessionCluster}, with a clock of its own. */
export class SessionServer {
  readonly id: string;
  readonly clock = new HandClock();
  readonly telemetry = new RecordedTelemetry();
  readonly sessions: ClusterSessions;
  /** Reports that this server sent, in order. */
  readonly sent: SessionsReport[] = [];
  /** Calls of the listener as texts: `online 7 here`, `offline 7 own`, `orphaned s1`, `revived`. */
  readonly events: string[] = [];
  /** Nothing that is sent reaches this server, its own reports included. */
  isDeaf = false;
  /** The process does not run: its timers stand still and its input waits. */
  isPaused = false;
  isDead = false;
  readonly #input: SessionsReport[] = [];

  constructor(id: string, send: (reports: readonly SessionsReport[]) => void) {
    this.id = id;
    this.sessions = new ClusterSessions({
      server: id,
      clock: this.clock,
      telemetry: this.telemetry,
      send: async (reports) => {
        this.sent.push(...reports);
        send(reports);
      },
      listener: {
        online: (userId, isHere) => this.events.push(`online ${userId} ${isHere ? 'here' : 'elsewhere'}`),
        offline: (userId, responsibility) => this.events.push(`offline ${userId} ${responsibility}`),
        orphaned: (sessions) => this.events.push(`orphaned ${[...sessions.keys()].join(' ')}`),
        revived: () => this.events.push('revived'),
      },
    });
  }

  receive(report: SessionsReport): void {
    if (!this.isDeaf && !this.isDead) this.#input.push(report);
  }

  work(): void {
    for (const report of this.#input.splice(0)) {
      if (report.server === this.id) this.sessions.echo(() => report);
      else this.sessions.heard(report);
    }
  }

  pass(ms: number): void {
    if (this.isPaused) {
      this.clock.stall(ms);
      return;
    }
    this.clock.pass(ms);
    this.work();
  }

  /** Kinds of the reports that were sent since the last call. */
  takeSent(): string[] {
    return this.sent.splice(0).map(({ type }) => type);
  }

  /** Calls of the listener since the last call. */
  takeEvents(): string[] {
    return this.events.splice(0);
  }
}

/** Servers that report their sessions to each other. Time passes only in `pass`. */
export class SessionCluster {
  /** Answers true for a report that is lost on its way to this server. */
  loses: (report: SessionsReport, to: SessionServer) => boolean = () => false;
  readonly #servers: SessionServer[] = [];

  start(id: string): SessionServer {
    const server = new SessionServer(id, (reports) => {
      for (const report of reports) {
        for (const other of this.#servers) if (!this.loses(report, other)) other.receive(report);
      }
    });
    this.#servers.push(server);
    server.sessions.start();
    return server;
  }

  /** Starts servers that know each other, and forgets the reports and events of the start. */
  startAll(...ids: string[]): SessionServer[] {
    const servers = ids.map((id) => this.start(id));
    this.pass(1_000);
    for (const server of servers) {
      server.takeSent();
      server.takeEvents();
    }
    return servers;
  }

  /** The process ends without a word. */
  kill(server: SessionServer): void {
    server.isDead = true;
    this.#servers.splice(this.#servers.indexOf(server), 1);
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= STEP_MS) {
      for (const server of this.#servers) server.pass(Math.min(STEP_MS, left));
    }
  }
}
