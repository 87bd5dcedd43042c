import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { MaybePromise } from '../commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { FailureWindow } from './failure-window.ts';

/**
 * The outcome of a look-up. `limited`: the directory was not asked, because a limit was reached.
 */
export type LookUpResult = 'found' | 'absent' | 'limited';

/** Shortest interval between two look-ups of one user in one place, in milliseconds. */
const MIN_INTERVAL_MS = 2_000;
const USER_SPAN_MS = 60_000;
/** Failed look-ups of one user in a minute, in places whose list is known. */
const MAX_FAILED_OF_USER = 20;
/**
 * The same where this server knows no list yet. Then only the directory can decide. So a client
 * that returns with a long list of former places must still reach the places of its user.
 */
const MAX_FAILED_OF_USER_IN_NEW_PLACES = 100;
const QUESTION_SPAN_MS = 1_000;
/** Failed questions to the directory in a second, of all users of this server. */
const MAX_FAILED_OF_SERVER = 50;
/** Failed questions to the directory in a second, of all users about one channel. */
const MAX_FAILED_OF_PLACE = 10;
/** Users and places whose last look-up is remembered. */
const MAX_REMEMBERED = 50_000;
const PRUNE_EVERY_MS = 10_000;

export interface LookUpLimitsParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Limits how often the directory is asked for users who are not in a list. A user who is in a list
 * is never limited. Errors of the directory do not count as failures of a user.
 */
export class LookUpLimits {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #server: FailureWindow;
  readonly #users = new Map<UserId, FailureWindow>();
  readonly #places = new Map<PlaceKey, FailureWindow>();
  readonly #lastBegan = new BoundedMap<string, number>(MAX_REMEMBERED);
  /** When a report last added a user to a place. */
  readonly #addedAt = new BoundedMap<UserId, number>(MAX_REMEMBERED);
  readonly #underWay = new Map<string, Promise<LookUpResult>>();
  #prunedAt = 0;

  constructor(parts: LookUpLimitsParts) {
    this.#clock = parts.clock;
    this.#telemetry = parts.telemetry;
    this.#server = new FailureWindow(parts.clock, QUESTION_SPAN_MS);
  }

  /**
   * A report added the user to a place. Their next look-up is made at once, in every place: a
   * member of a community may now be in its private channels.
   */
  added(userId: UserId): void {
    this.#addedAt.set(userId, this.#clock.monotonic());
  }

  /**
   * Looks a user up in a place. Callers that ask for the same user and place at the same time share
   * one look-up.
   * @param isKnown true if this server knows a list of the place
   * @param find resolves to true if the user is in the place
   */
  lookUp(userId: UserId, place: PlaceKey, isKnown: boolean, find: () => Promise<boolean>): MaybePromise<LookUpResult> {
    const key = `${userId} ${place}`;
    const same = this.#underWay.get(key);
    if (same !== undefined) return same;
    if (isKnown && this.#isTooSoon(userId, key)) return this.#limited();
    const limit = isKnown ? MAX_FAILED_OF_USER : MAX_FAILED_OF_USER_IN_NEW_PLACES;
    const lookUp = this.#run(userId, key, limit, find).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, lookUp);
    return lookUp;
  }

  /**
   * Asks the directory for users who are not in a list.
   * @param place the channel, where each user asks a question of their own; null where all users
   * of a place share one
   * @param ask resolves to true if the answer brought something new
   * @throws Refusal `try-again` if too many questions have failed
   */
  async question(place: PlaceKey | null, ask: () => Promise<boolean>): Promise<void> {
    if (place === null) return this.#inWindow(this.#server, MAX_FAILED_OF_SERVER, ask);
    const ofPlace = windowOf(this.#places, place, () => new FailureWindow(this.#clock, QUESTION_SPAN_MS));
    let hasNews = false;
    await this.#inWindow(ofPlace, MAX_FAILED_OF_PLACE, async () => {
      await this.#inWindow(this.#server, MAX_FAILED_OF_SERVER, async () => {
        hasNews = await ask();
        return hasNews;
      });
      return hasNews;
    });
  }

  async #run(userId: UserId, key: string, limit: number, find: () => Promise<boolean>): Promise<LookUpResult> {
    this.#prune();
    const user = windowOf(this.#users, userId, () => new FailureWindow(this.#clock, USER_SPAN_MS));
    if (!(await user.enter(limit))) return this.#limited();
    this.#lastBegan.set(key, this.#clock.monotonic());
    let hasFailed = false;
    try {
      const isFound = await find();
      hasFailed = !isFound;
      return isFound ? 'found' : 'absent';
    } catch (error) {
      hasFailed = isRefused(error);
      throw error;
    } finally {
      user.leave(hasFailed);
    }
  }

  async #inWindow(window: FailureWindow, limit: number, ask: () => Promise<boolean>): Promise<void> {
    if (!(await window.enter(limit))) {
      this.#limited();
      throw new Refusal('try-again', 'too many users ask for places that are not theirs; try again later');
    }
    let hasFailed = false;
    try {
      hasFailed = !(await ask());
    } catch (error) {
      hasFailed = isRefused(error);
      throw error;
    } finally {
      window.leave(hasFailed);
    }
  }

  #isTooSoon(userId: UserId, key: string): boolean {
    const last = this.#lastBegan.get(key);
    if (last === undefined || this.#clock.monotonic() - last >= MIN_INTERVAL_MS) return false;
    const addedAt = this.#addedAt.get(userId);
    return addedAt === undefined || addedAt < last;
  }

  #limited(): LookUpResult {
    this.#telemetry.count('member_look_ups_limited');
    return 'limited';
  }

  #prune(): void {
    const now = this.#clock.monotonic();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    for (const [user, window] of this.#users) if (window.isIdle) this.#users.delete(user);
    for (const [place, window] of this.#places) if (window.isIdle) this.#places.delete(place);
  }
}

/** True for the directory's "no", false for a directory that cannot be reached. */
function isRefused(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'not-permitted';
}

function windowOf<K>(windows: Map<K, FailureWindow>, key: K, make: () => FailureWindow): FailureWindow {
  let window = windows.get(key);
  if (window === undefined) {
    window = make();
    windows.set(key, window);
  }
  return window;
}
