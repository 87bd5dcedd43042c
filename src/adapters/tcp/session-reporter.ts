import type { SessionReporter } from '../../application/ports/session-reporter.ts';
import type { VoiceState } from '../../domain/chat-event.ts';
import { Refusal } from '../../domain/errors.ts';
import type { ChannelId, CommunityId, UserId } from '../../domain/ids.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Whereabouts } from '../../domain/whereabouts.ts';
import { Lane, type LaneOptions, laneOf } from './lane.ts';
import { beforeEnter, enter, login, logout, notLooking, portions, RefusedRequest, state } from './presence-codec.ts';

export interface TcpSessionReporterOptions {
  readonly host: string;
  readonly port: number;
  /** Connections kept open; default 4. */
  readonly connections?: number;
  /** Bound of every call (ms); default 500. */
  readonly timeoutMs?: number;
  /** Longest reply; default 64 KiB. */
  readonly replyBytes?: number;
  /** Requests under way a connection; default 4,096. */
  readonly waiting?: number;
  /** Pause before dialling again after a first failure (ms), default 100, and the longest, default 2,000. */
  readonly pauseMs?: number;
  readonly pauseMostMs?: number;
  /** Logouts kept for telling again, a connection; default 50,000. */
  readonly mostMissed?: number;
  /** Facts told again at a time, a connection; default 64. */
  readonly batch?: number;
  /** How often live sessions are told again, since presence forgets them after 24 hours (ms); default 6 hours. */
  readonly renewMs?: number;
  /** One of the connections was lost, or is ready (again). Must not throw. */
  readonly onLost?: (reason: string) => void;
  readonly onReady?: () => void;
}

/**
 * Presence over TCP, by a pool of kept-open connections. All that concerns one user goes through one of them and so arrives in the order of the
 * calls; `notLooking` takes the least busy one.
 */
export class TcpSessionReporter implements SessionReporter {
  readonly #lanes: readonly Lane[];
  readonly #users = new Map<string, UserId>();
  readonly #replyBytes: number;
  readonly #renewal: NodeJS.Timeout;

  /** Dials at once; calls made before the connections stand wait for them within their bound. */
  constructor(options: TcpSessionReporterOptions) {
    this.#replyBytes = options.replyBytes ?? 64 * 1024;
    const lane: LaneOptions = {
      host: options.host,
      port: options.port,
      timeoutMs: options.timeoutMs ?? 500,
      replyBytes: this.#replyBytes,
      waiting: options.waiting ?? 4_096,
      pauseMs: options.pauseMs ?? 100,
      pauseMostMs: options.pauseMostMs ?? 2_000,
      mostMissed: options.mostMissed ?? 50_000,
      batch: options.batch ?? 64,
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

  /** How many of the connections are ready. */
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

  async logout(
    sessionId: string,
  ): Promise<{ readonly userId: UserId; readonly whereabouts: Whereabouts | null } | null> {
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
    const asked = portions(ids, this.#replyBytes).map((portion) => this.#idlest().ask(notLooking(place, portion)));
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

  /** Waits for answers under way within their bound, then hangs up. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#renewal);
    await Promise.all(this.#lanes.map((lane) => lane.connection.close()));
  }

  #lane(userId: UserId): Lane {
    const lane = laneOf(this.#lanes, userId);
    if (lane === undefined) throw new Refusal('internal', 'there is no connection to presence');
    return lane;
  }

  #idlest(): Lane {
    const free = this.#lanes.filter((lane) => lane.connection.isFree);
    return free.reduce(
      (best, lane) => (lane.connection.load < best.connection.load ? lane : best),
      free[0] ?? this.#lane(0),
    );
  }
}

function refusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal('try-again', 'presence refused the request');
}
