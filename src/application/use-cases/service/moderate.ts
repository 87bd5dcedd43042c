import { Refusal } from '../../../domain/errors.ts';
import type { UserId } from '../../../domain/ids.ts';
import {
  type Ban,
  MAX_REASON_CHARS,
  MAX_SLOW_MODE_SECONDS,
  type Mute,
  type SlowMode,
} from '../../../domain/moderation.ts';
import { hasMoreCharsThan } from '../../../domain/text.ts';
import type { ModerationOrders } from '../../moderation/moderation-orders.ts';
import type { GivenBan, GivenMute, GivenSlowMode, Restrictions } from '../../moderation/restrictions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterSessions } from '../../presence/cluster-sessions.ts';

export interface ModerateParts {
  readonly orders: ModerationOrders;
  readonly restrictions: Restrictions;
  readonly clusterSessions: ClusterSessions;
  readonly clock: Clock;
}

/**
 * Gives the orders of administrators: disconnect, ban, mute and slow mode. When a method resolves,
 * the order is stored, and this server obeys it. The others obey within 2 s.
 */
export class Moderate {
  readonly #parts: ModerateParts;

  constructor(parts: ModerateParts) {
    this.#parts = parts;
  }

  /**
   * Ends the user's sessions. Resolves to their number on all servers, as far as this one has heard
   * of them: a session that began elsewhere within the last second may be missing.
   */
  async disconnect(admin: string, userId: UserId): Promise<number> {
    const { orders, clusterSessions } = this.#parts;
    const sessions = clusterSessions.sessionsOf(userId);
    await orders.give({ kind: 'disconnect', userId }, admin);
    return sessions;
  }

  /** @throws Refusal `bad-input` for an end in the past or a reason that is too long */
  async ban(admin: string, { userId, until, reason }: Ban): Promise<void> {
    this.#requireFuture(until);
    if (reason !== null && hasMoreCharsThan(reason, MAX_REASON_CHARS)) {
      throw new Refusal('bad-input', `reason has more than ${MAX_REASON_CHARS} characters`);
    }
    await this.#parts.orders.give({ kind: 'ban', userId, until, reason }, admin);
  }

  async unban(admin: string, userId: UserId): Promise<void> {
    await this.#parts.orders.give({ kind: 'unban', userId }, admin);
  }

  /** @throws Refusal `bad-input` for an end in the past */
  async mute(admin: string, { userId, place, until }: Mute): Promise<void> {
    this.#requireFuture(until);
    await this.#parts.orders.give({ kind: 'mute', userId, place, until }, admin);
  }

  async unmute(admin: string, { userId, place }: Omit<Mute, 'until'>): Promise<void> {
    await this.#parts.orders.give({ kind: 'unmute', userId, place }, admin);
  }

  /** @throws Refusal `bad-input` for seconds that are not 0 to 21,600 */
  async slowMode(admin: string, { place, seconds }: SlowMode): Promise<void> {
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_SLOW_MODE_SECONDS) {
      throw new Refusal('bad-input', `seconds must be a whole number from 0 to ${MAX_SLOW_MODE_SECONDS}`);
    }
    await this.#parts.orders.give({ kind: 'slow-mode', place, seconds }, admin);
  }

  bans(): GivenBan[] {
    return this.#parts.restrictions.bans();
  }

  mutes(): GivenMute[] {
    return this.#parts.restrictions.mutes();
  }

  slowModes(): GivenSlowMode[] {
    return this.#parts.restrictions.slowModes();
  }

  #requireFuture(until: number | null): void {
    if (until !== null && until <= this.#parts.clock.now()) {
      throw new Refusal('bad-input', 'until must be in the future, in UTC');
    }
  }
}
