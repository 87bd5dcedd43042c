import type { UserId } from '../../domain/ids.ts';
import { idOf, isChannel } from '../../domain/place.ts';
import type { CreatingEvent } from '../../domain/stored-event.ts';
import type { Membership } from '../membership/membership.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { SessionReporter } from '../ports/session-reporter.ts';
import type { Telemetry } from '../ports/telemetry.ts';

const AT_ONCE = 8;
const MAX_WAITING = 2_000;
const UNKNOWN_CHANNEL = 'CHANNEL';

/** Pushes to those who are not looking. After storing and telling, bounded, and never in anybody's way: what can't be told in time is dropped and counted. */
export class Notifications {
  readonly #notifier: Notifier;
  readonly #reporter: SessionReporter;
  readonly #membership: Membership;
  readonly #telemetry: Telemetry;
  readonly #waiting: CreatingEvent[] = [];
  #working = 0;

  constructor(parts: { notifier: Notifier; reporter: SessionReporter; membership: Membership; telemetry: Telemetry }) {
    this.#notifier = parts.notifier;
    this.#reporter = parts.reporter;
    this.#membership = parts.membership;
    this.#telemetry = parts.telemetry;
  }

  about(event: CreatingEvent): void {
    if (!this.#notifier.isEnabled) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#telemetry.count('notifications_dropped');
      return;
    }
    this.#waiting.push(event);
    if (this.#working < AT_ONCE) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working += 1;
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        await this.#notify(event);
      } catch (error) {
        this.#telemetry.count('notifications_dropped');
        this.#telemetry.log('debug', 'not notified', { place: event.place, reason: String(error) });
      }
    }
    this.#working -= 1;
  }

  async #notify(event: CreatingEvent): Promise<void> {
    const members = await this.#membership.members(event.place);
    const others = [...members].filter((user) => user !== event.userId);
    const targets = await this.#notLooking(event, others);
    if (targets.length === 0) return;
    const id = idOf(event.place);
    await this.#notifier.notify({
      place: isChannel(event.place)
        ? {
            kind: 'channel',
            channelId: id,
            communityId: event.communityId,
            channelName: this.#membership.channelName(id) ?? UNKNOWN_CHANNEL,
          }
        : { kind: 'room', roomId: id },
      userId: event.userId,
      username: event.name,
      content: event.kind === 'file' ? event.fileType : event.content,
      targets,
    });
    this.#telemetry.count('notifications_sent');
  }

  async #notLooking(event: CreatingEvent, others: readonly UserId[]): Promise<readonly UserId[]> {
    if (others.length === 0) return others;
    try {
      return await this.#reporter.notLooking(event.place, others);
    } catch {
      return others;
    }
  }
}
