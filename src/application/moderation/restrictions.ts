import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { type Ban, banned, type ModerationOrder, type Mute, muted, type SlowMode } from '../../domain/moderation.ts';
import type { ConversationKey } from '../../domain/place.ts';
import type { Clock } from '../ports/clock.ts';

/** Beginning of an order: who gave it, and when, in milliseconds since 1970. */
interface Given {
  readonly admin: string;
  readonly at: number;
}

export type GivenBan = Ban & Given;
export type GivenMute = Mute & Given;
export type GivenSlowMode = SlowMode & Given;

/**
 * The bans, mutes and slow modes that this server knows. It is the result of the orders in their
 * sequence. What has ended counts no more, and is shown no more.
 */
export class Restrictions {
  readonly #clock: Clock;
  /** False until the orders were read for the first time. */
  #isKnown = false;
  readonly #bans = new Map<UserId, GivenBan>();
  readonly #mutes = new Map<UserId, Map<ConversationKey | null, GivenMute>>();
  readonly #slowModes = new Map<ConversationKey, GivenSlowMode>();

  constructor(parts: { readonly clock: Clock }) {
    this.#clock = parts.clock;
  }

  /** All orders have been applied at least once. */
  known(): void {
    this.#isKnown = true;
  }

  clear(): void {
    this.#bans.clear();
    this.#mutes.clear();
    this.#slowModes.clear();
  }

  apply(order: ModerationOrder, given: Given): void {
    switch (order.kind) {
      case 'ban': {
        const { userId, until, reason } = order;
        this.#bans.set(userId, { userId, until, reason, ...given });
        break;
      }
      case 'unban':
        this.#bans.delete(order.userId);
        break;
      case 'mute': {
        const { userId, place, until } = order;
        const mutes = this.#mutes.get(userId) ?? new Map<ConversationKey | null, GivenMute>();
        this.#mutes.set(userId, mutes.set(place, { userId, place, until, ...given }));
        break;
      }
      case 'unmute': {
        const mutes = this.#mutes.get(order.userId);
        mutes?.delete(order.place);
        if (mutes?.size === 0) this.#mutes.delete(order.userId);
        break;
      }
      case 'slow-mode': {
        const { place, seconds } = order;
        if (seconds === 0) this.#slowModes.delete(place);
        else this.#slowModes.set(place, { place, seconds, ...given });
        break;
      }
      case 'disconnect':
      case 'removed':
        break;
    }
  }

  /** Drops what is known of a user who is erased: mutes, and the reason of a ban. */
  forget(userId: UserId): void {
    this.#mutes.delete(userId);
    const ban = this.#bans.get(userId);
    if (ban !== undefined) this.#bans.set(userId, { ...ban, reason: null });
  }

  /**
   * @throws Refusal `not-permitted` for a banned user; `try-again` while this server does not know
   * the bans, right after its start
   */
  refuseBanned(userId: UserId): void {
    if (!this.#isKnown) throw new Refusal('try-again', 'the server is starting and does not know the bans yet');
    const ban = this.#bans.get(userId);
    if (ban !== undefined && this.#holds(ban)) throw banned(ban);
  }

  /**
   * @throws Refusal `not-permitted` for a user who is banned, or muted in the place or everywhere;
   * `try-again` as {@link refuseBanned}
   */
  refuseWriting(userId: UserId, place: ConversationKey): void {
    this.refuseBanned(userId);
    const mutes = this.#mutes.get(userId);
    if (mutes === undefined) return;
    for (const mute of [mutes.get(null), mutes.get(place)]) {
      if (mute !== undefined && this.#holds(mute)) throw muted(mute);
    }
  }

  /** The slow mode of a place; 0: there is none. */
  slowModeSeconds(place: ConversationKey): number {
    return this.#slowModes.size === 0 ? 0 : (this.#slowModes.get(place)?.seconds ?? 0);
  }

  bans(): GivenBan[] {
    return [...this.#bans.values()].filter((ban) => this.#holds(ban));
  }

  mutes(): GivenMute[] {
    return [...this.#mutes.values()].flatMap((mutes) => [...mutes.values()]).filter((mute) => this.#holds(mute));
  }

  slowModes(): GivenSlowMode[] {
    return [...this.#slowModes.values()];
  }

  #holds({ until }: { readonly until: number | null }): boolean {
    return until === null || until > this.#clock.now();
  }
}
