import type { UserId } from '../../../domain/ids.ts';
import type { ConversationKey } from '../../../domain/place.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadMarkers } from '../../ports/read-markers.ts';
import type { SessionReporter } from '../../ports/session-reporter.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';
import type { Sessions } from '../../presence/sessions.ts';

export interface UserDisconnectedParts {
  readonly sessions: Sessions;
  readonly clusterSessions: ClusterSessions;
  readonly reporter: SessionReporter;
  readonly markers: ReadMarkers;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Ends sessions, for whatever reason they end. The presence service is notified at once, and the conversation that the user looked at
 * last counts as read. Other users are notified later, if the user stays away.
 */
export class UserDisconnected {
  readonly #parts: UserDisconnectedParts;
  readonly #pending = new Set<Promise<void>>();

  constructor(parts: UserDisconnectedParts) {
    this.#parts = parts;
  }

  /** Ends the session. Does nothing when it has ended already. Never throws. */
  execute(sessionId: string): void {
    const session = this.#parts.sessions.end(sessionId);
    if (session === undefined) return;
    const { userId, whereabouts } = session;
    this.#parts.clusterSessions.leave(sessionId);
    const lastRead = whereabouts?.kind === 'conversation' ? whereabouts.key : null;
    const ended = this.#end(sessionId, userId, lastRead).finally(() => this.#pending.delete(ended));
    this.#pending.add(ended);
  }

  /** Ends the sessions of a dead server with the presence service, one after the other. */
  async endOrphans(sessionIds: Iterable<string>): Promise<void> {
    for (const sessionId of sessionIds) await this.#end(sessionId, null, null);
  }

  /** Resolves when the presence service was notified of all sessions that have ended so far, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** `userId` is null when only the presence service knows it. Never rejects. */
  async #end(sessionId: string, userId: UserId | null, lastRead: ConversationKey | null): Promise<void> {
    const { clock, reporter, telemetry } = this.#parts;
    const now = clock.now();
    const read = new Set<ConversationKey>(lastRead === null ? [] : [lastRead]);
    let reader = userId;
    try {
      const last = await reporter.logout(sessionId);
      reader ??= last?.userId ?? null;
      if (last?.whereabouts?.kind === 'conversation') read.add(last.whereabouts.key);
    } catch (error) {
      telemetry.count('presence_failures');
      telemetry.log('debug', 'logout not reported to presence yet', { sessionId, error: String(error) });
    }
    if (reader !== null && read.size > 0) await this.#mark(reader, [...read], now);
  }

  async #mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void> {
    const { markers, telemetry } = this.#parts;
    try {
      await markers.mark(userId, places, time);
    } catch (error) {
      telemetry.log('warn', 'read time not stored', { userId, error: String(error) });
    }
  }
}
