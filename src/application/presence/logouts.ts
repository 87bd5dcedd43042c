import type { SessionEntry } from '../../domain/cluster-event.ts';
import type { UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/**
 * Ended sessions of a dead server that are reported at a time. Another server takes over when this
 * one dies within seconds, so thousands of sessions must not wait for an answer each.
 */
const GROUP_SIZE = 64;

export interface LogoutsParts {
  readonly reporter: SessionReporter;
  /** Marks places as read that the user looked at in the session. */
  readonly markRead: (reader: SessionEntry, places: readonly ConversationKey[]) => Promise<void>;
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

  /** The sessions of a dead server ended. They are reported in small groups. */
  async orphaned(sessionIds: Iterable<string>): Promise<void> {
    const all = [...sessionIds];
    for (let i = 0; i < all.length; i += GROUP_SIZE) {
      await Promise.all(all.slice(i, i + GROUP_SIZE).map((sessionId) => this.#logout(sessionId, null, null)));
    }
  }

  /** Resolves when all ended sessions of this server are reported, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** @param userId null when only the presence service knows it */
  async #logout(sessionId: string, userId: UserId | null, lastRead: ConversationKey | null): Promise<void> {
    const { reporter, telemetry } = this.#parts;
    // Begun at once: a message that comes from now on is not read.
    const marking = userId === null || lastRead === null ? null : this.#mark({ sessionId, userId }, lastRead);
    try {
      const last = await reporter.logout(sessionId);
      const reader = userId ?? last?.userId ?? null;
      if (reader !== null && last?.whereabouts?.kind === 'conversation' && last.whereabouts.key !== lastRead) {
        await this.#mark({ sessionId, userId: reader }, last.whereabouts.key);
      }
    } catch (error) {
      telemetry.count('presence_failures');
      telemetry.log('debug', 'logout not reported to presence yet', { sessionId, error });
    }
    await marking;
  }

  async #mark(reader: SessionEntry, place: ConversationKey): Promise<void> {
    const { markRead, telemetry } = this.#parts;
    try {
      await markRead(reader, [place]);
    } catch (error) {
      telemetry.log('warn', 'the read position of a user could not be stored', { userId: reader.userId, error });
    }
  }
}
