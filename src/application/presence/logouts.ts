import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { ReadMarkers } from '../ports/read-markers.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Telemetry } from '../ports/telemetry.ts';

export interface LogoutsParts {
  readonly reporter: SessionReporter;
  readonly markers: ReadMarkers;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Reports ended sessions to the presence service. The conversation that the user looked at last
 * counts as read from then on. No call waits for the presence service, and none rejects.
 */
export class Logouts {
  readonly #parts: LogoutsParts;
  readonly #pending = new Set<Promise<void>>();

  constructor(parts: LogoutsParts) {
    this.#parts = parts;
  }

  /** A session of this server ended. @param lastRead the conversation that it looked at, or null */
  ended(sessionId: string, userId: UserId, lastRead: ConversationKey | null): void {
    const logout = this.#logout(sessionId, userId, lastRead).finally(() => this.#pending.delete(logout));
    this.#pending.add(logout);
  }

  /** The sessions of a dead server ended. They are reported one after the other. */
  async orphaned(sessionIds: Iterable<string>): Promise<void> {
    for (const sessionId of sessionIds) await this.#logout(sessionId, null, null);
  }

  /** Resolves when all ended sessions of this server are reported, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** @param userId null when only the presence service knows it */
  async #logout(sessionId: string, userId: UserId | null, lastRead: ConversationKey | null): Promise<void> {
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
      telemetry.log('debug', 'logout not reported to presence yet', { sessionId, error });
    }
    if (reader !== null && read.size > 0) await this.#mark(reader, [...read], now);
  }

  async #mark(userId: UserId, places: readonly ConversationKey[], time: number): Promise<void> {
    const { markers, telemetry } = this.#parts;
    try {
      await markers.mark(userId, places, time);
    } catch (error) {
      telemetry.log('warn', 'the read time of a user could not be stored', { userId, error });
    }
  }
}
