import type { ConversationKey } from '../../../domain/place.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadMarkers } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';
import type { Sessions } from '../../presence/sessions.ts';

/** A session ended, however. Presence is told at once, and what was looked at last counts as read; others hear of it later, if the user stays away. */
export class UserDisconnected {
  readonly #sessions: Sessions;
  readonly #clusterSessions: ClusterSessions;
  readonly #reporter: SessionReporter;
  readonly #markers: ReadMarkers;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #underway = new Set<Promise<void>>();

  constructor(parts: {
    sessions: Sessions;
    clusterSessions: ClusterSessions;
    reporter: SessionReporter;
    markers: ReadMarkers;
    clock: Clock;
    telemetry: Telemetry;
  }) {
    this.#sessions = parts.sessions;
    this.#clusterSessions = parts.clusterSessions;
    this.#reporter = parts.reporter;
    this.#markers = parts.markers;
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
  }

  execute(sessionId: string): void {
    const session = this.#sessions.end(sessionId);
    if (session === undefined) return;
    const seen = session.whereabouts?.kind === 'conversation' ? session.whereabouts.key : null;
    this.#clusterSessions.leave(sessionId);
    const told = this.#tell(sessionId, session.userId, seen).finally(() => this.#underway.delete(told));
    this.#underway.add(told);
  }

  /** Ends sessions of a server that died, with the presence service. */
  async endOrphans(sessionIds: Iterable<string>): Promise<void> {
    for (const sessionId of sessionIds) await this.#tell(sessionId, null, null);
  }

  /** Resolves when presence was told of everything so far, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(this.#underway);
  }

  async #tell(sessionId: string, userId: number | null, seen: ConversationKey | null): Promise<void> {
    const now = this.#clock.now();
    const read = new Set<ConversationKey>(seen === null ? [] : [seen]);
    let whose = userId;
    try {
      const last = await this.#reporter.logout(sessionId);
      whose ??= last?.userId ?? null;
      if (last?.whereabouts?.kind === 'conversation') read.add(last.whereabouts.key);
    } catch (error) {
      this.#telemetry.count('presence_failures');
      this.#telemetry.log('debug', 'logout waits for presence', { sessionId, reason: String(error) });
    }
    if (whose === null || read.size === 0) return;
    await this.#markers.mark(whose, [...read], now).catch((error: unknown) => {
      this.#telemetry.log('warn', 'read time not kept', { userId: whose, reason: String(error) });
    });
  }
}
