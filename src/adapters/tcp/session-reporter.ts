import type { EndedSession, SessionReporter } from '../../application/ports/session-reporter.ts';
import type { VoiceState } from '../../domain/chat-event.ts';
import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';
import type { TlsOptions } from '../support/tls.ts';
import { Lane, type LaneOptions, laneOf } from './lane.ts';
import {
  beforeEnter,
  enter,
  leave,
  login,
  logout,
  notLooking,
  portions,
  RefusedRequest,
  state,
} from './presence-codec.ts';

export interface TcpSessionReporterOptions {
  readonly host: string;
  readonly port: number;
  /** TLS to presence; null or not given: none. */
  readonly tls?: TlsOptions | null;
  /** Number of connections; default 4. */
  readonly connections?: number;
  /** Limit for every call, in milliseconds; default 500. */
  readonly timeoutMs?: number;
  /** Limit for a reply, in bytes; default 64 KiB. */
  readonly maxReplyBytes?: number;
  /** Limit for requests without an answer on each connection; default 4,096. */
  readonly maxPending?: number;
  /** Pause before a new connection after a first failure, in milliseconds; default 100. */
  readonly retryMs?: number;
  /** Limit for that pause, which doubles with each further failure; default 2,000. */
  readonly maxRetryMs?: number;
  /** Limit for logouts that each connection keeps for a repetition; default 50,000. */
  readonly maxMissedLogouts?: number;
  /** Limit for repeated reports under way on each connection; default 64. */
  readonly maxRepeats?: number;
  /**
   * Interval in which live sessions are reported again, in milliseconds; default 6 hours. Presence
   * forgets a session after 24 hours.
   */
  readonly renewMs?: number;
  /** A connection was lost or could not be opened. Called for every attempt. Must not throw. */
  readonly onLost?: (reason: string) => void;
  /** A connection is ready, for the first time or again. Must not throw. */
  readonly onReady?: () => void;
}

/**
 * Reports sessions to the presence service over a pool of TCP connections that stay open. All
 * requests of one user go through one connection and arrive in the order of the calls. `notLooking`
 * uses the least busy connection.
 */
export class TcpSessionReporter implements SessionReporter {
  readonly #lanes: readonly Lane[];
  readonly #users = new Map<string, UserId>();
  readonly #maxReplyBytes: number;
  readonly #renewal: NodeJS.Timeout;

  /**
   * Connects at once. Calls made before the connections are open wait for them, up to the limit.
   */
  constructor(options: TcpSessionReporterOptions) {
    this.#maxReplyBytes = options.maxReplyBytes ?? 64 * 1024;
    const lane: LaneOptions = {
      host: options.host,
      port: options.port,
      tls: options.tls ?? null,
      timeoutMs: options.timeoutMs ?? 500,
      maxReplyBytes: this.#maxReplyBytes,
      maxPending: options.maxPending ?? 4_096,
      retryMs: options.retryMs ?? 100,
      maxRetryMs: options.maxRetryMs ?? 2_000,
      maxMissedLogouts: options.maxMissedLogouts ?? 50_000,
      maxRepeats: options.maxRepeats ?? 64,
      onLost: options.onLost ?? (() => {}),
      onReady: options.onReady ?? (() => {}),
    };
    this.#lanes = Array.from({ length: Math.max(1, options.connections ?? 4) }, () => new Lane(lane));
    this.#renewal = setInterval(
      () => {
        for (const each of this.#lanes) each.renew();
      },
      options.renewMs ?? 6 * 60 * 60 * 1_000,
    );
    this.#renewal.unref();
  }

  /** Number of connections that are ready. */
  get ready(): number {
    return this.#lanes.filter((lane) => lane.connection.isReady).length;
  }

  async login(sessionId: string, userId: UserId): Promise<void> {
    const lane = this.#lane(userId);
    this.#users.set(sessionId, userId);
    lane.ledger.began(sessionId, userId);
    try {
      await lane.ask(login(sessionId, userId));
    } catch (error) {
      lane.ledger.missedLogin(sessionId);
      throw refusal(error);
    }
  }

  async logout(sessionId: string): Promise<EndedSession | null> {
    const lane = this.#lane(this.#users.get(sessionId) ?? 0);
    this.#users.delete(sessionId);
    lane.ledger.ended(sessionId);
    try {
      return await lane.ask(logout(sessionId));
    } catch (error) {
      if (!(error instanceof RefusedRequest)) lane.ledger.missedLogout(sessionId);
      throw refusal(error);
    }
  }

  async moved(userId: UserId, whereabouts: Whereabouts): Promise<Whereabouts | null> {
    const lane = this.#lane(userId);
    try {
      const before = await lane.ask(state(userId, whereabouts));
      lane.ledger.moveReported(userId);
      return before;
    } catch (error) {
      if (!(error instanceof RefusedRequest)) lane.ledger.missedMove(userId, whereabouts);
      throw refusal(error);
    }
  }

  async notLooking(place: ConversationKey, ids: readonly UserId[]): Promise<UserId[]> {
    const asked = portions(ids, this.#maxReplyBytes).map((portion) =>
      this.#leastBusy().ask(notLooking(place, portion)),
    );
    try {
      return (await Promise.all(asked)).flat();
    } catch (error) {
      throw refusal(error);
    }
  }

  async voice(userId: UserId, communityId: CommunityId): Promise<VoiceState> {
    try {
      return await this.#lane(userId).ask(beforeEnter(userId, communityId));
    } catch (error) {
      throw refusal(error);
    }
  }

  async enterVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<VoiceState> {
    const lane = this.#lane(userId);
    try {
      const voice = await lane.ask(enter(userId, communityId, channelId));
      lane.ledger.moveReported(userId);
      return voice;
    } catch (error) {
      throw refusal(error);
    }
  }

  async leaveVoice(userId: UserId, communityId: CommunityId, channelId: ChannelId): Promise<void> {
    try {
      await this.#lane(userId).ask(leave(userId, communityId, channelId));
    } catch (error) {
      throw refusal(error);
    }
  }

  /**
   * Asks a question that changes nothing, so that a service that does not answer is noticed before
   * it is needed. Never rejects; a failure is reported by `onLost`.
   */
  async check(): Promise<void> {
    await this.#lane(0)
      .check()
      .catch(() => {});
  }

  async voiceReported(): Promise<void> {
    // The presence service has the lists.
  }

  /** Waits for pending answers, up to the limit of a call, and then closes. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#renewal);
    await Promise.all(this.#lanes.map((lane) => lane.connection.close()));
  }

  #lane(userId: UserId): Lane {
    const lane = laneOf(this.#lanes, userId);
    if (lane === undefined) throw new Refusal('internal', 'the presence service has no open connection');
    return lane;
  }

  #leastBusy(): Lane {
    const free = this.#lanes.filter((lane) => lane.connection.isFree);
    return free.reduce(
      (best, lane) => (lane.connection.load < best.connection.load ? lane : best),
      free[0] ?? this.#lane(0),
    );
  }
}

function refusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal('try-again', 'the presence service refused the request; try again later');
}
