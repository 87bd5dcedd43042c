import type { UserId } from '../../domain/ids.ts';
import { idOf, isChannel } from '../../domain/place.ts';
import type { CreatingEvent } from '../../domain/stored-event.ts';
import type { Membership } from '../membership/membership.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Messages whose notifications are prepared and sent at the same time. */
const MAX_ACTIVE = 8;
/** Messages that wait for their turn. */
const MAX_QUEUED = 2_000;

export interface NotificationsParts {
  readonly notifier: Notifier;
  readonly reporter: SessionReporter;
  readonly membership: Membership;
  readonly telemetry: Telemetry;
}

/**
 * Sends a push notification about each new message to the members who are not looking at its place.
 * It happens after the message was stored and handed out, in the background. A notification that
 * fails, or that comes while the queue is full, is dropped and counted.
 */
export class Notifications {
  readonly #parts: NotificationsParts;
  readonly #queue: CreatingEvent[] = [];
  #active = 0;

  constructor(parts: NotificationsParts) {
    this.#parts = parts;
  }

  /** Queues the notification about a new message. Returns at once and never throws. */
  about(event: CreatingEvent): void {
    const { notifier, telemetry } = this.#parts;
    if (!notifier.isEnabled) return;
    if (this.#queue.length >= MAX_QUEUED) {
      telemetry.count('notifications_dropped');
      return;
    }
    this.#queue.push(event);
    if (this.#active < MAX_ACTIVE) void this.#work();
  }

  async #work(): Promise<void> {
    const { telemetry } = this.#parts;
    this.#active += 1;
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      try {
        await this.#notify(event);
      } catch (error) {
        telemetry.count('notifications_dropped');
        telemetry.log('debug', 'notification dropped', { place: event.place, error });
      }
    }
    this.#active -= 1;
  }

  async #notify(event: CreatingEvent): Promise<void> {
    const { membership, notifier, telemetry } = this.#parts;
    const { place, userId } = event;
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
