import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { idOf, isChannel } from '../../domain/place.ts';
import type { CreatingEvent } from '../../domain/stored-event.ts';
import type { Membership } from '../membership/membership.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Random } from '../ports/random.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Span, Spans } from '../ports/spans.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Messages whose notifications are prepared and sent at the same time. */
const MAX_ACTIVE = 8;
/** Messages whose notifications are waiting or under way. */
const MAX_KEPT = 10_000;
/** A notification that was not delivered after this many milliseconds is dropped. */
const MAX_AGE_MS = 120_000;
/**
 * A message that waited for this many milliseconds may have been deleted. The store is asked before
 * its notification is sent.
 */
const CHECK_AFTER_MS = 1_000;
/** Pause after the first failure in a row. It doubles up to the maximum. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;

export interface NotificationsParts {
  readonly notifier: Notifier;
  readonly reporter: SessionReporter;
  readonly membership: Membership;
  readonly store: Pick<MessageStore, 'messages'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Null or missing: nothing is traced. */
  readonly spans?: Spans | null;
}

/** A message whose members are to be notified. */
interface Entry {
  readonly event: CreatingEvent;
  /** When the message was stored, in milliseconds of the monotonic clock. */
  readonly since: number;
  /** Position of the message in a trace, null for none. */
  readonly trace: string | null;
  /** True after an attempt that failed. */
  isRetry: boolean;
}

/**
 * Sends a push notification about each new message to the members who are not looking at its place.
 * It happens after the message was stored and handed out, in the background.
 *
 * While the notification service or the directory is away, notifications are kept: at most 10,000,
 * for up to 2 minutes. If there are more, the oldest is dropped. A failed attempt pauses all
 * attempts; the pause grows with each failure in a row, and after it a single attempt shows whether
 * the service is back. A notification that the service refuses is dropped. All that are dropped are
 * counted, except those of messages that were deleted meanwhile.
 */
export class Notifications {
  readonly #parts: NotificationsParts;
  /** All kept entries, oldest first. */
  readonly #kept = new Set<Entry>();
  /** The kept entries whose turn has not come. A failed one goes to the end. */
  readonly #waiting = new Set<Entry>();
  #active = 0;
  /** Failures since the last success. */
  #failures = 0;
  /** Runs while attempts pause. */
  #pause: Timer | null = null;
  #isStopped = false;

  constructor(parts: NotificationsParts) {
    this.#parts = parts;
  }

  /**
   * Queues the notification about a new message. Returns at once and never throws.
   * @param trace the message's position in a trace
   */
  about(event: CreatingEvent, trace: string | null = null): void {
    const { notifier, clock } = this.#parts;
    if (!notifier.isEnabled || this.#isStopped) return;
    if (this.#kept.size >= MAX_KEPT) this.#dropOldest();
    const entry = { event, since: clock.monotonic(), trace, isRetry: false };
    this.#kept.add(entry);
    this.#waiting.add(entry);
    this.#fill();
  }

  /** Drops the waiting notifications about messages of a user who is erased. */
  forget(userId: UserId): void {
    for (const entry of this.#waiting) {
      if (entry.event.userId !== userId) continue;
      this.#waiting.delete(entry);
      this.#kept.delete(entry);
    }
  }

  /** Makes no further attempt. Notifications that wait are lost. */
  stop(): void {
    this.#isStopped = true;
    this.#pause?.cancel();
    this.#pause = null;
    this.#kept.clear();
    this.#waiting.clear();
  }

  /** Begins as many attempts as are allowed now. */
  #fill(): void {
    if (this.#pause !== null) return;
    const max = this.#failures > 0 ? 1 : MAX_ACTIVE;
    while (this.#active < max) {
      const entry = first(this.#waiting);
      if (entry === undefined) return;
      this.#waiting.delete(entry);
      void this.#attempt(entry);
    }
  }

  async #attempt(entry: Entry): Promise<void> {
    this.#active += 1;
    try {
      if (this.#age(entry) > MAX_AGE_MS) this.#drop(entry, 'too old');
      else {
        await this.#notifyTraced(entry);
        this.#kept.delete(entry);
        this.#failures = 0;
      }
    } catch (error) {
      if (isTemporary(error)) this.#failed(entry);
      else this.#drop(entry, error);
    }
    this.#active -= 1;
    this.#fill();
  }

  #failed(entry: Entry): void {
    const { clock, random } = this.#parts;
    entry.isRetry = true;
    if (this.#kept.has(entry)) this.#waiting.add(entry);
    // Attempts that were under way together count as one failure.
    if (this.#pause !== null || this.#isStopped) return;
    const longest = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#pause = clock.after(longest * (1 - random() / 2), () => {
      this.#pause = null;
      this.#dropOld();
      this.#fill();
    });
  }

  /**
   * Drops the entries whose time is over, so that they take no memory while the service is away.
   */
  #dropOld(): void {
    for (const entry of this.#kept) {
      if (this.#age(entry) <= MAX_AGE_MS) return;
      if (this.#waiting.has(entry)) this.#drop(entry, 'too old');
    }
  }

  #dropOldest(): void {
    for (const entry of this.#kept) {
      // Attempts that are under way are not stopped. There are few of them.
      if (!this.#waiting.has(entry)) continue;
      this.#drop(entry, 'too many are waiting');
      return;
    }
  }

  #drop(entry: Entry, error: unknown): void {
    this.#waiting.delete(entry);
    if (!this.#kept.delete(entry)) return;
    const { telemetry } = this.#parts;
    telemetry.count('notifications_dropped');
    telemetry.log('debug', 'notification dropped', { place: entry.event.place, error: String(error) });
  }

  #age({ since }: Entry): number {
    return this.#parts.clock.monotonic() - since;
  }

  /** Notifies in a span of its own, if the message is traced: one for each attempt. */
  async #notifyTraced(entry: Entry): Promise<void> {
    const span = entry.trace === null ? null : this.#beginSpan(entry.event, entry.trace);
    if (span === null) return this.#notify(entry);
    let failure: string | null = null;
    try {
      await span.run(() => this.#notify(entry));
    } catch (error) {
      failure = error instanceof Refusal ? error.code : 'internal';
      throw error;
    } finally {
      span.end(failure);
    }
  }

  #beginSpan({ place, seq }: CreatingEvent, trace: string): Span | null {
    return this.#parts.spans?.begin('notify', trace, () => ({ place, seq })) ?? null;
  }

  async #notify(entry: Entry): Promise<void> {
    const { event } = entry;
    const { membership, notifier, telemetry } = this.#parts;
    const { place, userId } = event;
    if (await this.#isDeleted(entry)) return;
    const members = await membership.members(place);
    const others = [...members].filter((user) => user !== userId);
    if (others.length === 0) return;
    const targets = await this.#notLooking(event, others);
    if (targets.length === 0) return;
    await notifier.notify({
      place,
      communityId: event.communityId,
      channelName: isChannel(place) ? membership.channelName(idOf(place)) : null,
      userId,
      username: event.name,
      content: event.kind === 'file' ? event.fileType : event.content,
      targets,
    });
    telemetry.count('notifications_sent');
  }

  /** The store is asked only about messages that had to wait. */
  async #isDeleted(entry: Entry): Promise<boolean> {
    if (!entry.isRetry && this.#age(entry) < CHECK_AFTER_MS) return false;
    const { place, id } = entry.event;
    return !(await this.#parts.store.messages(place, [id])).has(id);
  }

  /**
   * Those who are not looking at the message's place. While presence cannot be reached: all of
   * them.
   */
  async #notLooking({ place }: CreatingEvent, users: readonly UserId[]): Promise<readonly UserId[]> {
    try {
      return await this.#parts.reporter.notLooking(place, users);
    } catch {
      return users;
    }
  }
}

/** True if the same attempt may succeed later. */
function isTemporary(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'try-again' || error.code === 'store-failed');
}

function first<T>(entries: ReadonlySet<T>): T | undefined {
  return entries.values().next().value;
}
